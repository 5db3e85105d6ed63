package incident

import "time"

// AuditEntry is one line of a tenant's journal: what the audit says of a change, written together with it. Ids sort as the entries
// shall be listed: begin them with the time. No two entries have one id.
type AuditEntry struct {
	ID      string
	Expires time.Time // when it may be forgotten; zero is never
	Data    []byte    // JSON
}
