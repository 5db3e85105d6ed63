package settle

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/onepane/onepane/functions/ingest"
	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/fault"
	"github.com/onepane/onepane/shared/incident"
)

// lateStore has an alert after some looks.
type lateStore struct {
	looks, after int
	err          error
}

func (l *lateStore) Alert(context.Context, string, string) (incident.AlertRecord, error) {
	if l.looks++; l.looks <= l.after {
		return incident.AlertRecord{}, l.err
	}
	return incident.AlertRecord{Alert: alert.Alert{ID: "survivor"}, Incident: "7"}, nil
}

func TestSettle(t *testing.T) {
	none := fault.Errorf(fault.NotFound, "there is none")
	for name, tt := range map[string]struct {
		store  lateStore
		limit  int // waits until the request's time is over
		want   ingest.Accepted
		failed bool
	}{
		"at once":            {lateStore{}, 9, ingest.Accepted{AlertID: "survivor", IncidentID: "7"}, false},
		"after a while":      {lateStore{after: 5, err: none}, 9, ingest.Accepted{AlertID: "survivor", IncidentID: "7"}, false},
		"too late":           {lateStore{after: 5, err: none}, 3, ingest.Accepted{AlertID: "a"}, true},
		"store is not there": {lateStore{after: 5, err: fault.Errorf(fault.Unavailable, "429")}, 9, ingest.Accepted{AlertID: "a"}, true},
	} {
		t.Run(name, func(t *testing.T) {
			waits, longest := 0, time.Duration(0)
			s := Polling{&tt.store, func(_ context.Context, d time.Duration) error {
				longest = max(longest, d)
				if waits++; waits > tt.limit {
					return errors.New("over")
				}
				return nil
			}}
			accepted := []ingest.Accepted{{AlertID: "a"}}
			if err := s.Settle(t.Context(), accepted); (err != nil) != tt.failed || accepted[0] != tt.want || longest > lastLook {
				t.Errorf("%v, %+v after %d waits of at most %v", err, accepted, waits, longest)
			}
		})
	}
}

// An exposure has no incident.
func TestSettleExposure(t *testing.T) {
	accepted := []ingest.Accepted{{ExposureID: "e"}}
	s := Polling{&lateStore{}, nil}
	if err := s.Settle(t.Context(), accepted); err != nil || accepted[0] != (ingest.Accepted{ExposureID: "e"}) {
		t.Errorf("%+v, %v", accepted, err)
	}
}
