package producer

import (
	"log/slog"
	"time"

	"github.com/onepane/onepane/shared/bus/servicebus/send"
	"github.com/onepane/onepane/shared/config/cloud"
	"github.com/onepane/onepane/shared/identity"
)

// Open says where to publish and as whom. It connects with the first event.
func Open(s cloud.Common, credential *identity.Credential, log *slog.Logger) (*Bus, error) {
	claims := &send.Container{URL: s.Claims.Account + s.Claims.Container, Credential: credential, Now: time.Now}
	endpoint := ""
	if s.Bus.Endpoint != "" {
		endpoint = "https://" + s.Bus.Endpoint
	}
	sender, err := send.Open(send.Options{
		Namespace: s.Bus.Namespace, Endpoint: endpoint, Queue: s.Bus.Queue, Quarantine: s.Bus.Quarantine, Credential: credential, Blobs: claims,
	})
	if err != nil {
		return nil, err
	}
	return &Bus{settings: s, log: log, alerts: sender, quarantine: sender.Quarantine()}, nil
}
