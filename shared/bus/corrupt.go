package bus

import (
	"encoding/base64"

	"github.com/go-json-experiment/json"

	"github.com/onepane/onepane/shared/cloudevent"
)

// CorruptEvent stands in quarantine for what a queue holds and no event can be read from: its bytes, as a JSON string
// in base64.
func CorruptEvent(id, session string, raw []byte) cloudevent.Event {
	data, _ := json.Marshal(base64.StdEncoding.EncodeToString(raw)) // base64 always encodes
	return cloudevent.Event{ID: id, Source: "/onepane/bus", Type: "io.onepane.bus.corrupt.v1", Tenant: session, Data: data}
}
