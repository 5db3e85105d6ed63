package producer

import (
	"log/slog"

	"github.com/onepane/onepane/shared/bus/servicebus"
	"github.com/onepane/onepane/shared/bus/servicebus/blob"
	"github.com/onepane/onepane/shared/config/cloud"
	"github.com/onepane/onepane/shared/identity"
	"github.com/onepane/onepane/shared/identity/azuresdk"
)

// Open says where to publish and as whom. It connects with the first event.
func Open(s cloud.Common, credential *identity.Credential, log *slog.Logger) (*Bus, error) {
	lent := azuresdk.Credential(credential)
	claims, err := blob.Open(s.Claims.Account, s.Claims.Container, lent, nil)
	if err != nil {
		return nil, err
	}
	queue, err := servicebus.Open(servicebus.Options{
		Namespace: s.Bus.Namespace, Endpoint: s.Bus.Endpoint, Queue: s.Bus.Queue, Quarantine: s.Bus.Quarantine,
		Credential: lent, Blobs: claims, Log: log,
	})
	if err != nil {
		return nil, err
	}
	return &Bus{settings: s, log: log, alerts: queue, quarantine: queue.Shelf()}, nil
}
