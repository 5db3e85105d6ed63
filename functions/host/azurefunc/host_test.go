package azurefunc

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/onepane/onepane/events"
	"github.com/onepane/onepane/functions/ingest"
	"github.com/onepane/onepane/shared/cloudevent"
	"github.com/onepane/onepane/shared/fault"
)

var quiet = slog.New(slog.DiscardHandler)

// quarantineStub keeps rejections, or fails.
type quarantineStub struct {
	kept []events.Rejection
	err  error
}

func (s *quarantineStub) Publish(_ context.Context, evs ...cloudevent.Event) error {
	for _, e := range evs {
		r, err := events.ParseRejection(e)
		if err != nil {
			return err
		}
		if s.err == nil {
			s.kept = append(s.kept, r)
		}
	}
	return s.err
}

// events a to e, in one message offered so many times.
func newInvocation(deliveries int) Invocation {
	var evs []cloudevent.Event
	for _, id := range []string{"a", "b", "c", "d", "e"} {
		evs = append(evs, cloudevent.Event{ID: id, Source: "/test", Type: "t", Tenant: "contoso", Data: jsontext.Value(`{"n":1}`)})
	}
	body, err := json.Marshal(evs)
	if err != nil {
		panic(err)
	}
	return Invocation{Data: map[string]jsontext.Value{"m": body[:len(body):len(body)]},
		Metadata: map[string]jsontext.Value{"DeliveryCount": jsontext.Value(strconv.Itoa(deliveries))}}
}

// serviceBus handles one event at a time with each, and remembers which went well.
func serviceBus(s *quarantineStub, done *[]string, each func(e cloudevent.Event) error) ServiceBus {
	return ServiceBus{Binding: "m", Quarantine: s, Log: quiet, Now: time.Now,
		Decode: func(_ context.Context, body []byte) ([]cloudevent.Event, error) {
			var e cloudevent.Event
			if err := json.Unmarshal(body, &e); err != nil {
				return nil, fault.Errorf(fault.Invalid, "decode: %w", err)
			}
			return []cloudevent.Event{e}, nil
		},
		Handle: func(_ context.Context, evs []cloudevent.Event) error {
			for _, e := range evs {
				if err := each(e); err != nil {
					return err
				}
			}
			for _, e := range evs {
				*done = append(*done, e.ID)
			}
			return nil
		}}
}

func TestAPoisonousEventHoldsUpNoSession(t *testing.T) {
	poison := func(e cloudevent.Event) error {
		if e.ID == "c" {
			return errors.New("nobody knows why")
		}
		return nil
	}
	for _, tt := range []struct {
		name       string
		deliveries int
		fail       func(e cloudevent.Event) error
		done, kept string // what went through; what is in quarantine
		again      bool
	}{
		{"at first all is offered again", 1, poison, "", "", true},
		{"then the others get through", halveFrom, poison, "abde", "", true},
		{"and in the end it goes to quarantine", deadLetterFrom, poison, "abde", "c", false},
		{"a panic counts like an error", deadLetterFrom, func(e cloudevent.Event) error {
			if e.ID == "c" {
				panic("poison")
			}
			return nil
		}, "abde", "c", false},
		{"a store that is down is nobody's fault", deadLetterFrom, func(cloudevent.Event) error { return fault.Errorf(fault.Unavailable, "down") }, "", "", true},
		{"nor is a missing right", deadLetterFrom, func(cloudevent.Event) error { return fault.Errorf(fault.Denied, "no role") }, "", "", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, done := &quarantineStub{}, []string{}
			in := newInvocation(tt.deliveries)
			in.Metadata["DeliveryCountArray"] = jsontext.Value("[" + strings.Repeat(strconv.Itoa(tt.deliveries)+",", 4) + strconv.Itoa(tt.deliveries) + "]")
			err := serviceBus(s, &done, tt.fail).Invoke(t.Context(), in)
			slices.Sort(done)
			if got := strings.Join(done, ""); got != tt.done {
				t.Errorf("done %q, want %q", got, tt.done)
			}
			kept := ""
			for _, r := range s.kept {
				kept += r.Headers["id"]
			}
			if kept != tt.kept || (err != nil) != tt.again {
				t.Errorf("in quarantine %q, error %v; want %q, again %v", kept, err, tt.kept, tt.again)
			}
		})
	}
}

func TestWhatCorrelateRefusesIsKeptWhole(t *testing.T) {
	s := &quarantineStub{}
	b := serviceBus(s, new([]string), nil)
	b.Handle = func(_ context.Context, evs []cloudevent.Event) error {
		return fault.Refused{1: fault.Errorf(fault.Invalid, "no alert")}
	}
	if err := b.Invoke(t.Context(), newInvocation(1)); err != nil {
		t.Fatal(err)
	}
	if len(s.kept) != 1 {
		t.Fatalf("%d in quarantine", len(s.kept))
	}
	r := s.kept[0]
	e, err := cloudevent.FromAttributes(r.Headers, r.Bytes())
	if err != nil || e.ID != "b" || string(e.Data) != `{"n":1}` || r.Route != "bus" || r.Tenant != "contoso" || r.Kind != "invalid" {
		t.Errorf("kept %+v (%v)", r, err)
	}
}

func TestAMessageNobodyCanReadIsKept(t *testing.T) {
	s, done := &quarantineStub{}, []string{}
	in := newInvocation(1)
	in.Data["m"] = jsontext.Value(`"[\"H4sIAAAAAAAA\"]"`)
	in.Metadata["SessionIdArray"] = jsontext.Value(`"[\"contoso\"]"`)
	if err := serviceBus(s, &done, nil).Invoke(t.Context(), in); err != nil {
		t.Fatal(err)
	}
	if len(s.kept) != 1 || string(s.kept[0].Bytes()) != "\x1f\x8b\x08\x00\x00\x00\x00\x00\x00" || s.kept[0].Tenant != "contoso" {
		t.Errorf("kept %+v", s.kept)
	}
	s.err = fault.Errorf(fault.Invalid, "the quarantine is gone")
	if err := serviceBus(s, &done, nil).Invoke(t.Context(), in); err == nil {
		t.Error("acknowledged though it could not be kept")
	}
}

// An event that makes ingest panic is found among the others: a hub would offer it for ever.
func TestAPanicInABatchOfAHubIsFound(t *testing.T) {
	s, seen := &quarantineStub{}, ""
	h := EventHub{Binding: "m", Route: "azure", Quarantine: s, Log: quiet, Now: time.Now, Ingest: handler(func(d ingest.Delivery) error {
		if strings.Contains(string(d.Body), `"c"`) {
			panic("poison")
		}
		seen += string(d.Body)
		return nil
	})}
	if err := h.Invoke(t.Context(), newInvocation(1)); err != nil {
		t.Fatal(err)
	}
	if len(s.kept) != 1 || !strings.Contains(s.kept[0].Body, `"c"`) || s.kept[0].Route != "azure" {
		t.Errorf("kept %+v", s.kept)
	}
	for _, id := range []string{"a", "b", "d", "e"} {
		if strings.Count(seen, `"id":"`+id+`"`) != 1 {
			t.Errorf("%s was taken %d times", id, strings.Count(seen, `"id":"`+id+`"`))
		}
	}
}

type handler func(ingest.Delivery) error

func (h handler) Handle(_ context.Context, d ingest.Delivery) (ingest.Receipt, error) {
	return ingest.Receipt{}, h(d)
}

// A catch-all route forwards any path from outside; a trigger's envelope must not come in that way.
func TestNobodyOutsideReachesATrigger(t *testing.T) {
	ran := false
	app := &App{Log: quiet, Functions: map[string]Function{"export": Timer{Run: func(context.Context) error { ran = true; return nil }}},
		HTTP: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) })}
	for _, tt := range []struct {
		name, method string
		header       map[string]string
		want         int
	}{
		{"the Functions host", "POST", map[string]string{invocationHeader: "i"}, 200},
		{"a forwarded request", "POST", map[string]string{invocationHeader: "i", "X-Forwarded-For": "192.0.2.1"}, 418},
		{"a forwarded request that claims to be the host", "POST", map[string]string{invocationHeader: "i", "User-Agent": "Azure-Functions-Host/4", "Disguised-Host": "app.azurewebsites.net"}, 418},
		{"no invocation", "POST", nil, 418},
		{"a page of that name", "GET", map[string]string{invocationHeader: "i"}, 418},
	} {
		t.Run(tt.name, func(t *testing.T) {
			ran = false
			r := httptest.NewRequest(tt.method, "/export", strings.NewReader(`{"Data":{"timer":{"Schedule":{},"IsPastDue":false}},"Metadata":{}}`))
			for k, v := range tt.header {
				r.Header.Set(k, v)
			}
			w := httptest.NewRecorder()
			app.ServeHTTP(w, r)
			if w.Code != tt.want || ran != (tt.want == 200) {
				t.Errorf("%d, ran %v; want %d", w.Code, ran, tt.want)
			}
		})
	}
}

func TestAnEnvelopeThatIsTooLargeOrUnreadableIsNotAcknowledged(t *testing.T) {
	app := &App{Log: quiet, Functions: map[string]Function{"export": Timer{Run: func(context.Context) error { return nil }}}}
	for name, body := range map[string]io.Reader{"too large": io.LimitReader(spaces{}, maxEnvelope+1), "no JSON": strings.NewReader("{")} {
		r := httptest.NewRequest("POST", "/export", body)
		r.Header.Set(invocationHeader, "i")
		w := httptest.NewRecorder()
		if app.ServeHTTP(w, r); w.Code < 400 || w.Body.Len() == 0 {
			t.Errorf("%s: %d", name, w.Code)
		}
	}
}

type spaces struct{}

func (spaces) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = ' '
	}
	return len(b), nil
}

func TestAnAppThatDoesNotOpenEndsTheProcess(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := strconv.Itoa(l.Addr().(*net.TCPAddr).Port)
	_ = l.Close()
	getenv := func(name string) string { return map[string]string{"FUNCTIONS_HTTPWORKER_PORT": port}[name] }
	broken := errors.New("no store")
	if err := Serve(t.Context(), getenv, quiet, func(context.Context) (*App, error) { return nil, broken }); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
	if err := Serve(t.Context(), func(string) string { return "" }, quiet, nil); fault.Of(err) != fault.Invalid {
		t.Errorf("without a port: %v", err)
	}
}
