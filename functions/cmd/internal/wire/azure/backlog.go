package azure

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/onepane/onepane/functions/api"
	"github.com/onepane/onepane/shared/config/cloud"
	"github.com/onepane/onepane/shared/fault"
	"github.com/onepane/onepane/shared/identity"
)

// backlog asks Resource Manager what waits in the two queues: Service Bus itself tells that only to who may manage it, while
// the role that receives from a queue may also read the queue's resource (Azure built-in roles, Azure Service Bus Data
// Receiver: Microsoft.ServiceBus/*/queues/read).
type backlog struct {
	cloud.Backlog
	queue, quarantine string
	credential        *identity.Credential
	http              *http.Client
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

// Bus is api.Server's: messages, each of which holds one alert or many, that correlate has not completed; and what is in
// quarantine or among the queue's own dead letters. Azure's figures may lag some seconds behind.
func (b backlog) Bus(ctx context.Context) (api.Bus, error) {
	alerts, err := b.count(ctx, b.queue)
	if err != nil {
		return api.Bus{}, err
	}
	shelf, err := b.count(ctx, b.quarantine)
	return api.Bus{Pending: alerts.Details.Active, DeadLettered: alerts.Details.DeadLetter + shelf.All}, err
}

func (b backlog) count(ctx context.Context, queue string) (queueCounts, error) {
	manager := b.Manager
	if manager == "" {
		manager = publicManager
	}
	token, err := b.credential.Token(ctx, identity.Request{Scope: manager + "/.default"})
	if err != nil {
		return queueCounts{}, fmt.Errorf("count messages in %s: %w", queue, err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, manager+b.Namespace+"/queues/"+queue+"?api-version="+queueVersion, nil)
	if err != nil {
		return queueCounts{}, fault.Errorf(fault.Invalid, "count messages in %s: %w", queue, err)
	}
	req.Header.Set("Authorization", "Bearer "+token.Value)
	resp, err := b.http.Do(req)
	if err != nil {
		return queueCounts{}, fault.Errorf(fault.Unavailable, "count messages in %s: Resource Manager does not answer", queue)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxQueue))
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
	maxQueue       = 1 << 20
	managerTimeout = 10 * time.Second
)
