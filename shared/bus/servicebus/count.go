package servicebus

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/onepane/onepane/shared/fault"
	"github.com/onepane/onepane/shared/identity"
)

// QueueCounter asks Resource Manager what waits in the two queues: Service Bus itself tells that only to who may manage
// it, while the role that receives from a queue may also read the queue's resource (Azure built-in roles, Azure Service
// Bus Data Receiver: Microsoft.ServiceBus/*/queues/read).
type QueueCounter struct {
	Namespace         string // resource id of the namespace, "/subscriptions/…"
	Manager           string // address of Resource Manager; "" is the public cloud's
	Queue, Quarantine string // names
	Credential        *identity.Credential
	HTTP              *http.Client // nil is one with a timeout of 10 s
}

// publicManager is Resource Manager of the public cloud.
const publicManager = "https://management.azure.com"

const queueVersion = "2024-01-01" // of Microsoft.ServiceBus/namespaces/queues

// queueCounts are a queue's messages (ARM type Microsoft.ServiceBus/namespaces/queues, SBQueueProperties).
type queueCounts struct {
	All     int64 `json:"messageCount"` // active, deferred and dead
	Details struct {
		Active     int64 `json:"activeMessageCount"` // those in somebody's hands included
		DeadLetter int64 `json:"deadLetterMessageCount"`
	} `json:"countDetails"`
}

// Count gives the messages, each of which holds one alert or many, that correlate has not completed (pending), and
// those that are in quarantine or among the queue's own dead letters. Azure's figures may lag some seconds behind.
// Resource Manager's trouble is fault.Unavailable; what it answers is in no error.
func (c QueueCounter) Count(ctx context.Context) (pending, deadLettered int64, err error) {
	alerts, err := c.countQueue(ctx, c.Queue)
	if err != nil {
		return 0, 0, err
	}
	quarantine, err := c.countQueue(ctx, c.Quarantine)
	return alerts.Details.Active, alerts.Details.DeadLetter + quarantine.All, err
}

func (c QueueCounter) countQueue(ctx context.Context, queue string) (queueCounts, error) {
	manager := c.Manager
	if manager == "" {
		manager = publicManager
	}
	token, err := c.Credential.Token(ctx, identity.Request{Scope: manager + "/.default"})
	if err != nil {
		return queueCounts{}, fmt.Errorf("count messages in %s: %w", queue, err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, manager+c.Namespace+"/queues/"+queue+"?api-version="+queueVersion, nil)
	if err != nil {
		return queueCounts{}, fault.Errorf(fault.Invalid, "count messages in %s: %w", queue, err)
	}
	req.Header.Set("Authorization", "Bearer "+token.Value)
	client := c.HTTP
	if client == nil {
		client = &http.Client{Timeout: managerTimeout}
	}
	resp, err := client.Do(req)
	if err != nil {
		return queueCounts{}, fault.Errorf(fault.Unavailable, "count messages in %s: Resource Manager does not answer", queue)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxQueueAnswer))
	if err != nil || resp.StatusCode != http.StatusOK {
		return queueCounts{}, fault.Errorf(fault.Unavailable, "count messages in %s: Resource Manager answers %d", queue, resp.StatusCode)
	}
	var answer struct {
		Properties *queueCounts `json:"properties"`
	}
	if err := json.Unmarshal(body, &answer); err != nil || answer.Properties == nil {
		return queueCounts{}, fault.Errorf(fault.Unavailable, "count messages in %s: Resource Manager's answer has no counts", queue)
	}
	return *answer.Properties, nil
}

const (
	maxQueueAnswer = 1 << 20 // bytes
	managerTimeout = 10 * time.Second
)
