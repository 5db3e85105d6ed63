package servicebus

import (
	"context"

	"github.com/onepane/onepane/shared/bus/servicebus/pack"
	"github.com/onepane/onepane/shared/cloudevent"
)

// Decode reads the events of one message body as pack.Decode does, for whoever gets messages from another than Bus: the
// Azure Functions host.
func Decode(ctx context.Context, body []byte, blobs pack.Getter) ([]cloudevent.Event, error) {
	return pack.Decode(ctx, body, blobs)
}
