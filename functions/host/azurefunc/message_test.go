package azurefunc

import (
	"testing"

	"github.com/go-json-experiment/json"
)

// Each row is one way in which the Functions host writes the same thing.
func TestMessagesInEveryForm(t *testing.T) {
	for _, tt := range []struct {
		name, envelope string
		want           []Message
	}{
		{"an object is passed as it is", `{"Data":{"m":{"id":1}},"Metadata":{"MessageId":"\"x\"","DeliveryCount":"3","ContentType":"\"application/json\"","SessionId":"\"contoso\""}}`,
			[]Message{{Body: []byte(`{"id":1}`), ContentType: "application/json", ID: "x", Session: "contoso", Deliveries: 3}}},
		{"a message taken as string is twice encoded", `{"Data":{"m":"\"{\\\"id\\\":1}\""},"Metadata":{}}`, []Message{{Body: []byte(`{"id":1}`)}}},
		{"a string once encoded", `{"Data":{"m":"{\"id\":1}"},"Metadata":{}}`, []Message{{Body: []byte(`{"id":1}`)}}},
		{"three layers", `{"Data":{"m":"\"\\\"{\\\\\\\"id\\\\\\\":1}\\\"\""},"Metadata":{}}`, []Message{{Body: []byte(`{"id":1}`)}}},
		{"binary is base64", `{"Data":{"m":"H4sIAAAAAAAA"},"Metadata":{}}`, []Message{{Body: []byte("\x1f\x8b\x08\x00\x00\x00\x00\x00\x00")}}},
		{"binary twice encoded", `{"Data":{"m":"\"H4sIAAAAAAAA\""},"Metadata":{}}`, []Message{{Body: []byte("\x1f\x8b\x08\x00\x00\x00\x00\x00\x00")}}},
		{"text that is no JSON", `{"Data":{"m":"\"hello, world\""},"Metadata":{}}`, []Message{{Body: []byte("hello, world")}}},
		{"many, as a string that holds an array of objects", `{"Data":{"m":"[{\"id\":1},{\"id\":2}]"},"Metadata":{"MessageIdArray":"[\"x\",\"y\"]","DeliveryCountArray":"[1,2]"}}`,
			[]Message{{Body: []byte(`{"id":1}`), ID: "x", Deliveries: 1}, {Body: []byte(`{"id":2}`), ID: "y", Deliveries: 2}}},
		{"many, of strings", `{"Data":{"m":"[\"{\\\"id\\\":1}\"]"},"Metadata":{"SessionIdArray":["contoso"]}}`, []Message{{Body: []byte(`{"id":1}`), Session: "contoso"}}},
		{"many, binary, without content types", `{"Data":{"m":"[\"H4sIAAAAAAAA\"]"},"Metadata":{"ContentTypeArray":"[null]"}}`, []Message{{Body: []byte("\x1f\x8b\x08\x00\x00\x00\x00\x00\x00")}}},
		{"many, as an array", `{"Data":{"m":[{"id":1}]},"Metadata":{}}`, []Message{{Body: []byte(`{"id":1}`)}}},
		{"none", `{"Data":{"m":"[]"},"Metadata":{}}`, []Message{}},
		{"metadata that is too short", `{"Data":{"m":"[{},{}]"},"Metadata":{"MessageIdArray":"[\"x\"]"}}`, []Message{{Body: []byte(`{}`), ID: "x"}, {Body: []byte(`{}`)}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var in Invocation
			if err := json.Unmarshal([]byte(tt.envelope), &in); err != nil {
				t.Fatal(err)
			}
			got, err := in.Messages("m")
			if err != nil || len(got) != len(tt.want) {
				t.Fatalf("%d messages, %v; want %d", len(got), err, len(tt.want))
			}
			for i, m := range got {
				w := tt.want[i]
				if string(m.Body) != string(w.Body) || m.ContentType != w.ContentType || m.ID != w.ID || m.Session != w.Session || m.Deliveries != w.Deliveries {
					t.Errorf("message %d = %+v, want %+v", i, m, w)
				}
			}
		})
	}
}

func TestAMissingBindingIsSaid(t *testing.T) {
	if _, err := (Invocation{}).Messages("m"); err == nil {
		t.Error("no error")
	}
}

func FuzzMessages(f *testing.F) {
	f.Add(`{"Data":{"m":"[\"{\\\"id\\\":1}\"]"},"Metadata":{"SessionIdArray":["contoso"],"DeliveryCountArray":"[1]"}}`)
	f.Add(`{"Data":{"m":"\"H4sIAAAAAAAA\""},"Metadata":{"DeliveryCount":"3"}}`)
	f.Fuzz(func(t *testing.T, envelope string) {
		var in Invocation
		if json.Unmarshal([]byte(envelope), &in) != nil {
			return
		}
		ms, err := in.Messages("m")
		if _, there := in.Data["m"]; !there && err == nil {
			t.Error("messages of a binding that is not there")
		}
		for _, m := range ms {
			if len(m.Body) > len(envelope) {
				t.Errorf("a body of %d bytes out of %d", len(m.Body), len(envelope))
			}
		}
	})
}
