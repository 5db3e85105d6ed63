package servicebus

import (
	"context"
	"errors"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"
	"github.com/Azure/go-amqp"

	"github.com/onepane/onepane/shared/fault"
)

// withKind returns an error of the SDK with its kind. The conditions are AMQP error codes ("AMQP errors in Azure
// Service Bus"). A queue that is missing or forbidden is fault.Unavailable: someone may put it right, and no event is
// at fault.
func withKind(err error) error {
	var amqpErr *amqp.Error
	switch {
	case err == nil:
		return nil
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded), fault.Of(err) != fault.Again:
		return err
	case errors.Is(err, azservicebus.ErrMessageTooLarge):
		return fault.Errorf(fault.TooLarge, "%w", err)
	case errors.As(err, &amqpErr):
		switch amqpErr.Condition {
		case amqp.ErrCondMessageSizeExceeded:
			return fault.Errorf(fault.TooLarge, "%w", err)
		case amqp.ErrCondResourceLimitExceeded:
			return fault.Errorf(fault.Exhausted, "the queue is full: %w", err)
		case "com.microsoft:server-busy":
			return fault.Errorf(fault.Exhausted, "the namespace is throttled: %w", err)
		}
	}
	return fault.Errorf(fault.Unavailable, "Service Bus: %w", err)
}

// hasCode reports whether err is an error of the SDK with this code.
func hasCode(err error, code azservicebus.Code) bool {
	var e *azservicebus.Error
	return errors.As(err, &e) && e.Code == code
}
