// Package cef exports as Common Event Format (CEF version 0) over syslog (RFC 5424) in octet-counted frames over TCP or
// TLS (RFC 6587, RFC 5425).
//
// Syslog has no acknowledgement. Each batch therefore has a connection of its own: the target closes its side after the
// batch, and the batch is taken when the receiver, having read to the end, closes the other side:
//
//	batch ─dial─▶ "LEN <PRI>1 … CEF:0|…" × n ─close─▶ receiver closes, all bytes acknowledged: taken
//
// These failures are recognized, and the batch is sent again: the receiver closes before the batch has reached its
// machine (bytes are unacknowledged, on Linux); it closes with the batch unread (it resets the connection); it keeps
// its side open; it cannot be reached. These are not, because RFC 6587 has no word for them: a receiver that read
// everything and kept nothing; one that ends only its own side without reading; a load balancer that reads in the
// receiver's place. TLS is the default and narrows the last two, since it ends in the receiver's process. Where that is
// not enough, run a relay with a disk queue beside Onepane, or use a target that acknowledges (splunk, webhook,
// sentinel).
package cef

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/onepane/onepane/functions/export"
	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/backoff"
	"github.com/onepane/onepane/shared/entity"
	"github.com/onepane/onepane/shared/fault"
	"github.com/onepane/onepane/shared/incident"
)

// Target sends to one address.
type Target struct {
	Address string      // host:port
	TLS     *tls.Config // nil is plain TCP
	Host    string      // the name of this sender in the header; "-" when empty
	Version string      // of Onepane
}

const (
	facility   = 13      // "log audit" (RFC 5424, table 1)
	maxMessage = 8 << 10 // rsyslog's default; RFC 5425 wants 8192 to be taken
	maxText    = 1000    // CEF's msg and name take 1023 and 512 bytes
	timeout    = 30 * time.Second
)

// Limits implements export.Target.
func (t *Target) Limits() export.Limits {
	return export.Limits{Records: 500, Bytes: 1 << 20, Overhead: 8, RecordBytes: maxMessage}
}

// Encode implements export.Target: the whole syslog message, without its length.
func (t *Target) Encode(r export.Row) ([]byte, error) {
	severity, body := t.eventText(r)
	host := t.Host
	if host == "" {
		host = "-"
	}
	return fmt.Appendf(nil, "<%d>1 %s %s onepane - %s - %s", facility*8+syslogSeverity(severity), r.Updated.UTC().Format("2006-01-02T15:04:05.000Z"), host, r.Kind, body), nil
}

func (t *Target) eventText(r export.Row) (alert.Severity, string) {
	var e extension
	e.addField("externalId", r.ID)
	e.addField("rt", unixMillis(r.Updated))
	e.addField("cs1Label", "tenant")
	e.addField("cs1", r.Tenant)
	if i := r.Incident; i != nil {
		addIncidentFields(&e, i)
		return i.Severity, t.headerText("incident", i.Name, i.Severity) + e.String()
	}
	m := r.Alert
	addAlertFields(&e, m)
	kind := m.Alert.Type
	if kind == "" {
		kind = "alert"
	}
	return m.Alert.Severity, t.headerText(kind, m.Alert.Title, m.Alert.Severity) + e.String()
}

func (t *Target) headerText(class, name string, s alert.Severity) string {
	return "CEF:0|Onepane|Onepane|" + escapeHeader(t.Version) + "|" + escapeHeader(truncateText(class)) + "|" + escapeHeader(truncateText(name)) + "|" + strconv.Itoa(severities[s]) + "|"
}

// severities are CEF's: 0–3 low, 4–6 medium, 7–8 high, 9–10 very high.
var severities = map[alert.Severity]int{alert.Informational: 1, alert.Low: 3, alert.Medium: 5, alert.High: 8, alert.Critical: 10}

// syslogSeverity is RFC 5424's, table 2: critical 2 … informational 6; 5, notice, for what is unknown.
func syslogSeverity(s alert.Severity) int {
	switch s {
	case alert.Critical:
		return 2
	case alert.High:
		return 3
	case alert.Medium:
		return 4
	case alert.Informational:
		return 6
	}
	return 5
}

func addAlertFields(e *extension, m *incident.AlertRecord) {
	a := m.Alert
	e.addField("start", unixMillis(a.First))
	e.addField("end", unixMillis(a.Last))
	e.addField("msg", truncateText(a.Description))
	e.addField("cat", a.Product)
	e.addField("outcome", string(m.Status))
	e.addField("cs2Label", "alertId")
	e.addField("cs2", a.ID)
	if m.Incident != "" {
		e.addField("cs3Label", "incidentId")
		e.addField("cs3", m.Incident)
	}
	if a.Account.ID != "" {
		e.addField("cs4Label", "cloudAccount")
		e.addField("cs4", string(a.Account.Cloud)+"/"+a.Account.ID)
	}
	for _, ev := range a.Evidence {
		addEvidence(e, ev)
	}
	e.addField("request", a.URL)
}

// addEvidence gives the first address, host, user and file of an alert their CEF keys.
func addEvidence(e *extension, ev alert.Evidence) {
	switch {
	case ev.Kind == entity.IP && net.ParseIP(ev.Value) == nil:
	case ev.Kind == entity.IP && strings.Contains(ev.Value, ":"): // src and dst take IPv4 only
		e.addFirst("c6a2", ev.Value)
		e.addFirst("c6a2Label", "Source IPv6 Address")
	case ev.Kind == entity.IP && ev.Role == alert.Attacker:
		e.addFirst("src", ev.Value)
	case ev.Kind == entity.IP:
		e.addFirst("dst", ev.Value)
	case ev.Kind == entity.Host:
		e.addFirst("dhost", truncateText(ev.Value))
	case ev.Kind == entity.User && ev.Role == alert.Attacker:
		e.addFirst("suser", truncateText(ev.Value))
	case ev.Kind == entity.User:
		e.addFirst("duser", truncateText(ev.Value))
	case ev.Kind == entity.FileHash:
		e.addFirst("fileHash", truncateText(ev.Value))
	case ev.Kind == entity.Resource:
		e.addFirst("cs5", truncateText(ev.Value))
		e.addFirst("cs5Label", "resource")
	}
}

func addIncidentFields(e *extension, i *incident.Incident) {
	e.addField("start", unixMillis(i.First))
	e.addField("end", unixMillis(i.Last))
	e.addField("msg", truncateText(i.Summary))
	e.addField("cat", "incident")
	e.addField("outcome", string(i.Status))
	e.addField("cnt", strconv.Itoa(i.Alerts))
	e.addField("cs3Label", "incidentId")
	e.addField("cs3", i.ID)
	if i.RedirectTo != "" {
		e.addField("cs6Label", "redirectIncidentId")
		e.addField("cs6", i.RedirectTo)
	}
	e.addField("suser", i.AssignedTo)
}

func unixMillis(t time.Time) string { return strconv.FormatInt(t.UnixMilli(), 10) }

func truncateText(s string) string {
	if len(s) <= maxText {
		return s
	}
	return strings.ToValidUTF8(s[:maxText], "") + "…"
}

// Send implements export.Target.
func (t *Target) Send(ctx context.Context, records []export.Record) (int, error) {
	var out []byte
	for _, r := range records {
		out = append(strconv.AppendInt(out, int64(len(r.Data)), 10), ' ')
		out = append(out, r.Data...)
	}
	if err := t.sendFrames(ctx, out); err != nil {
		return 0, fault.Errorf(fault.Unavailable, "syslog: %w", err)
	}
	return len(records), nil
}

func (t *Target) sendFrames(ctx context.Context, out []byte) (err error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	c, err := t.dialReceiver(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	stop := context.AfterFunc(ctx, func() { _ = c.Close() })
	defer stop()
	if _, err := c.Write(out); err != nil {
		return err
	}
	if err := awaitAcknowledgement(ctx, c); err != nil {
		return err
	}
	half, ok := c.(interface{ CloseWrite() error })
	if !ok {
		return errors.New("the connection cannot be half closed")
	}
	if err := half.CloseWrite(); err != nil {
		return err
	}
	if _, err := io.Copy(io.Discard, io.LimitReader(c, 1<<20)); err != nil {
		return fmt.Errorf("wait for the receiver to close: %w", err)
	}
	n, _, err := readSocketState(tcpConn(c))
	if err == nil && n > 1 { // 1 is the end itself
		err = fmt.Errorf("%d bytes had not come", n)
	}
	if err != nil {
		return fmt.Errorf("the receiver closed too early: %w", err)
	}
	return nil
}

// awaitAcknowledgement waits until the receiver's machine has all that was written. A receiver that has closed by then
// has not waited for the end of the batch: what it closes later tells nothing.
func awaitAcknowledgement(ctx context.Context, c net.Conn) error {
	for pause := time.Millisecond; ; pause = min(2*pause, maxAckPause) {
		n, ended, err := readSocketState(tcpConn(c))
		switch {
		case err != nil:
			return fmt.Errorf("wait for acknowledgement: %w", err)
		case ended:
			return errors.New("the receiver closed before the batch had ended")
		case n == 0:
			return nil
		}
		if err := backoff.Wait(ctx, pause); err != nil { // the kernel tells only who asks
			return err
		}
	}
}

// maxAckPause is how long a look at a slow receiver's acknowledgements is put off.
const maxAckPause = 50 * time.Millisecond

// tcpConn is the TCP connection below TLS: dial makes no other.
func tcpConn(c net.Conn) *net.TCPConn {
	if s, ok := c.(*tls.Conn); ok {
		c = s.NetConn()
	}
	return c.(*net.TCPConn)
}

func (t *Target) dialReceiver(ctx context.Context) (net.Conn, error) {
	if t.TLS == nil {
		return (&net.Dialer{}).DialContext(ctx, "tcp", t.Address)
	}
	return (&tls.Dialer{Config: t.TLS}).DialContext(ctx, "tcp", t.Address)
}
