package pack

import (
	"context"
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"

	"github.com/onepane/onepane/shared/cloudevent"
	"github.com/onepane/onepane/shared/fault"
)

func numberedEvents(n int) []cloudevent.Event {
	var out []cloudevent.Event
	for i := range n {
		id := fmt.Sprint("e", i)
		out = append(out, cloudevent.Event{ID: id, Source: "/test", Type: "test", Tenant: "contoso", Data: []byte(`{"id": "` + id + `", "a":"\u00e9"}`)})
	}
	return out
}

// packOne packs events that fit in one message.
func packOne(t testing.TB, evs []cloudevent.Event) []byte {
	t.Helper()
	messages, err := packEvents(t.Context(), "contoso", evs, MaxBody, nil)
	if err != nil || len(messages) != 1 {
		t.Fatalf("packed into %d messages, %v", len(messages), err)
	}
	return messages[0].Body
}

// jsonString is what the Functions host makes of a string: its JSON text.
func jsonString(s []byte) []byte {
	b, err := json.Marshal(string(s))
	if err != nil {
		panic(err)
	}
	return b
}

func encodeBase64(b []byte) []byte { return []byte(base64.StdEncoding.EncodeToString(b)) }

func TestDecodeForms(t *testing.T) {
	one, many := numberedEvents(1), numberedEvents(200)
	small, large := packOne(t, one), packOne(t, many)
	if small[0] != '{' || string(large[:4]) != string(zstdMagic) {
		t.Fatalf("bodies begin with %q and %q", small[:4], large[:4])
	}
	for _, tt := range []struct {
		name string
		body []byte
		want []cloudevent.Event
	}{
		{"one event, as sent", small, one},
		{"many events, as sent", large, many},
		{"host: binary, one message", jsonString(encodeBase64(large)), many},
		{"host: base64 alone", encodeBase64(large), many},
		{"host: text of one event", jsonString(small), one},
		{"host: text in text", jsonString(jsonString(small)), one},
		{"host: batch of binary messages", []byte(`[` + string(jsonString(encodeBase64(large))) + `,` + string(jsonString(encodeBase64(small))) + `]`), append(slices.Clone(many), one...)},
		{"host: batch as text", jsonString([]byte(`[` + string(jsonString(small)) + `]`)), one},
		{"any sender: batch mode", []byte(" [" + string(small) + ",\n" + string(small) + "]\n"), append(slices.Clone(one), one...)},
	} {
		got, err := Decode(t.Context(), tt.body, nil)
		if err != nil || fmt.Sprintf("%+v", got) != fmt.Sprintf("%+v", tt.want) {
			t.Errorf("%s: %d events, %v", tt.name, len(got), err)
		}
	}
}

func TestDecodeRefuses(t *testing.T) {
	bomb := zstdEncoder().EncodeAll([]byte(`[`+strings.Repeat(" ", maxDecoded)+`]`), nil)
	for name, body := range map[string]string{
		"nothing": "", "spaces": "  ", "no event": "[]", "null": "null", "a number": "7", "half": `{"specversion":"1.0"`, "no id": `{"specversion":"1.0","source":"/s","type":"t"}`,
		"other version": `{"specversion":"0.3","id":"1","source":"/s","type":"t"}`, "not base64": "####", "base64 of rubbish": "cnViYmlzaA==",
		"broken zstd": string(zstdMagic) + "rubbish", "bomb": string(bomb), "too deep": strings.Repeat("[", 40) + strings.Repeat("]", 40),
		"an event and rubbish":   `[{"specversion":"1.0","id":"1","source":"/s","type":"t"}, 7]`,
		"a claim, and no blobs":  `{"specversion":"1.0","id":"1","source":"/s","type":"io.onepane.bus.claim.v1","data":{"blob":"a","sha256":"","size":1}}`,
		"a claim without a blob": `{"specversion":"1.0","id":"1","source":"/s","type":"io.onepane.bus.claim.v1","data":{}}`,
	} {
		if evs, err := Decode(t.Context(), []byte(body), nil); fault.Of(err) != fault.Invalid {
			t.Errorf("%s: %d events, %v, want invalid", name, len(evs), err)
		}
	}
}

// blobMap is blob storage in memory.
type blobMap map[string][]byte

func (s blobMap) Put(_ context.Context, name string, body []byte) error {
	s[name] = body
	return nil
}

func (s blobMap) Get(_ context.Context, name string) ([]byte, error) {
	if b, ok := s[name]; ok {
		return b, nil
	}
	return nil, fault.Errorf(fault.NotFound, "no blob %s", name)
}

type down struct{ blobMap }

func (down) Get(context.Context, string) ([]byte, error) {
	return nil, fault.Errorf(fault.Unavailable, "away")
}

func TestClaims(t *testing.T) {
	blobs := blobMap{}
	e := numberedEvents(1)
	e[0].Data = randomBytes(600 << 10)
	if _, err := packEvents(t.Context(), "contoso", e, MaxBody, nil); fault.Of(err) != fault.TooLarge {
		t.Errorf("without blobs: %v, want too large", err)
	}
	messages, err := packEvents(t.Context(), "contoso", e, MaxBody, blobs)
	if err != nil || len(messages) != 1 || len(messages[0].Body) > 1024 || len(blobs) != 1 {
		t.Fatalf("%d messages, %d blobs, %v", len(messages), len(blobs), err)
	}
	body := messages[0].Body
	if evs, err := Decode(t.Context(), body, blobs); err != nil || len(evs) != 1 || string(evs[0].Data) != string(e[0].Data) {
		t.Errorf("redeemed %d events, %v", len(evs), err)
	}
	if _, err := Decode(t.Context(), body, down{}); fault.Of(err) != fault.Unavailable {
		t.Errorf("with the storage away: %v, want unavailable", err)
	}
	if _, err := Decode(t.Context(), body, blobMap{}); fault.Of(err) != fault.Invalid {
		t.Errorf("with the blob gone: %v, want invalid", err)
	}
	for name := range blobs {
		blobs[name] = []byte(`{}`)
	}
	if _, err := Decode(t.Context(), body, blobs); fault.Of(err) != fault.Invalid {
		t.Errorf("with another blob in its place: %v, want invalid", err)
	}
}

// randomBytes is a JSON string that hardly compresses.
func randomBytes(n int) []byte {
	r := rand.New(rand.NewPCG(1, 2))
	b := make([]byte, n*3/4)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return []byte(`"` + base64.StdEncoding.EncodeToString(b) + `"`)
}

func TestPackSplits(t *testing.T) {
	evs := numberedEvents(1200)
	for i := range evs {
		evs[i].Data = randomBytes(2 << 10)
	}
	evs[7].Data = randomBytes(300 << 10)
	blobs := blobMap{}
	var ids [2][]string
	for round := range ids {
		messages, err := packEvents(t.Context(), "contoso", evs, MaxBody, blobs)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, m := range messages {
			if len(m.Body) > MaxBody {
				t.Errorf("a message of %d bytes", len(m.Body))
			}
			ids[round] = append(ids[round], m.ID)
			in, err := Decode(t.Context(), m.Body, blobs)
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range in {
				got = append(got, e.ID)
			}
		}
		for i, e := range evs {
			if i >= len(got) || got[i] != e.ID {
				t.Fatalf("%d events came back, not in order", len(got))
			}
		}
	}
	if !slices.Equal(ids[0], ids[1]) {
		t.Error("the same events make different messages")
	}
	seen := map[string]bool{}
	for _, id := range ids[0] {
		if seen[id] || len(id) > maxID {
			t.Errorf("message id %q is not its own", id)
		}
		seen[id] = true
	}
}

func TestSessionIDs(t *testing.T) {
	long := strings.Repeat("ü", 100)
	for tenant, want := range map[string]string{
		"contoso": "contoso", strings.Repeat("x", 128): strings.Repeat("x", 128), "": "~", long: "~", "~contoso": "~", strings.Repeat("x", 129): "~",
	} {
		got := SessionID(tenant)
		if want != "~" && got != want || want == "~" && (got[0] != '~' || len(got) > maxID || got == tenant) {
			t.Errorf("Session(%q) = %q", tenant, got)
		}
	}
}

func FuzzDecode(f *testing.F) {
	many := packOne(f, numberedEvents(50))
	for _, seed := range [][]byte{packOne(f, numberedEvents(1)), many, encodeBase64(many), jsonString(encodeBase64(many)), []byte(`["[]",{}]`), zstdEncoder().EncodeAll(many, nil)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		evs, err := Decode(t.Context(), body, nil)
		if err != nil {
			if !fault.Permanent(err) {
				t.Errorf("an error that is not the input's: %v", err)
			}
			return
		}
		// What was read can be sent, and is read the same again.
		for _, e := range evs {
			text, err := encodeEvent(e)
			if err != nil {
				t.Fatalf("encode %+v: %v", e, err)
			}
			back, err := Decode(t.Context(), text, nil)
			if e.Type == claimType {
				continue
			}
			if err != nil || len(back) != 1 || fmt.Sprintf("%+v", back[0]) != fmt.Sprintf("%+v", e) {
				t.Errorf("%+v became %+v, %v", e, back, err)
			}
		}
	})
}
