// Package exports makes the export function of a configuration, and shows it to the API: the same for standalone and
// the cloud.
//
//	config.Export ─▶ New ─▶ export.Function ─▶ host: always, or by a timer
//	                          └─▶ API ─▶ api.Server
package exports

import (
	"cmp"
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"time"

	"github.com/onepane/onepane/functions/export"
	"github.com/onepane/onepane/functions/export/blob"
	"github.com/onepane/onepane/functions/export/cef"
	"github.com/onepane/onepane/functions/export/file"
	"github.com/onepane/onepane/functions/export/ocsf"
	"github.com/onepane/onepane/functions/export/parquet"
	"github.com/onepane/onepane/functions/export/s3"
	"github.com/onepane/onepane/functions/export/sentinel"
	"github.com/onepane/onepane/functions/export/splunk"
	"github.com/onepane/onepane/functions/export/webhook"
	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/backoff"
	"github.com/onepane/onepane/shared/config"
	"github.com/onepane/onepane/shared/entity"
	"github.com/onepane/onepane/shared/identity"
	"github.com/onepane/onepane/shared/identity/azuresdk"
	"github.com/onepane/onepane/shared/store"
)

// Store is the store as export wants it.
type Store interface {
	export.Store
	export.Documents
}

// Options are what a deployment brings beside its configuration.
type Options struct {
	Version   string
	PortalURL string              // where links lead; "" leaves them out
	Getenv    func(string) string // where references to secrets lead
	Store     Store
	Now       func() time.Time
	Log       *slog.Logger
}

// New makes the export function of the configuration. A reference that leads nowhere is an error.
func New(cfg config.Config, o Options) (*export.Function, error) {
	var all []export.Export
	for _, c := range cfg.Exports {
		e, err := exportOf(c, o)
		if err != nil {
			return nil, fmt.Errorf("export %s: %w", c.Name, err)
		}
		all = append(all, e)
	}
	return export.New(export.Options{Store: o.Store, Documents: o.Store, Now: o.Now, Log: o.Log}, all)
}

// lakeSchedule is as often as Security Lake wants objects: many small ones make its queries slow.
const lakeSchedule = "*/5 * * * *"

func scheduleOf(c config.Export) (export.Schedule, error) {
	if c.When == "" && c.Target == "s3" {
		return export.ParseSchedule(lakeSchedule)
	}
	return export.ParseSchedule(c.When)
}

func exportOf(c config.Export, o Options) (export.Export, error) {
	when, err := scheduleOf(c)
	if err != nil {
		return export.Export{}, err
	}
	target, err := targetOf(c, o)
	if err != nil {
		return export.Export{}, err
	}
	f := export.Filter{Severity: alert.Severity(c.Filter.Severity), Statuses: c.Filter.Statuses, Accounts: c.Filter.Accounts, Providers: c.Filter.Providers}
	for _, cloud := range c.Filter.Clouds {
		f.Clouds = append(f.Clouds, entity.Cloud(cloud))
	}
	kinds := map[string]store.ChangeKind{"alerts": store.AlertChanged, "incidents": store.IncidentChanged, "exposures": store.ExposureChanged}
	for _, what := range c.What {
		f.Kinds = append(f.Kinds, kinds[what])
	}
	return export.Export{Name: c.Name, Tenant: c.Tenant, Kind: c.Target, Target: target, Filter: f, When: when}, nil
}

// deployed is an export of the configuration with what the deployment brings, its secrets resolved.
type deployed struct {
	config.Export
	Options
	secrets []string
}

// targets are the words of config.Targets.
var targets = map[string]func(deployed) (export.Target, error){
	"file": toFile, "webhook": toWebhook, "splunk": toSplunk, "blob": toBlob, "s3": toS3, "cef": toSyslog, "sentinel": toSentinel,
}

func targetOf(c config.Export, o Options) (export.Target, error) {
	d := deployed{Export: c, Options: o}
	for _, ref := range c.Secrets {
		secret, err := ref.Resolve(o.Getenv)
		if err != nil {
			return nil, fmt.Errorf("secret: %w", err)
		}
		d.secrets = append(d.secrets, secret)
	}
	return targets[c.Target](d)
}

func toFile(d deployed) (export.Target, error) {
	return &file.Target{
		Dir: d.Export.Options["directory"], Name: d.Name, Pack: packerOf(d), Whole: d.Format == "parquet", Now: time.Now,
	}, nil
}

func toWebhook(d deployed) (export.Target, error) {
	encode, alerts := encoderOf(d)
	t := &webhook.Target{URL: d.Export.Options["url"], Write: encode, Alerts: alerts, HTTP: export.NewHTTPClient(), Now: time.Now}
	for _, s := range d.secrets {
		key, err := webhook.ParseKey(s)
		if err != nil {
			return nil, err
		}
		t.Keys = append(t.Keys, key)
	}
	return t, nil
}

func toSplunk(d deployed) (export.Target, error) {
	o := d.Export.Options
	encode, alerts := encoderOf(d)
	return &splunk.Target{
		URL: o["url"], Token: d.secrets[0], Channel: o["channel"], NoAck: o["acknowledge"] == "false", Index: o["index"], Source: d.Name,
		Write: encode, Alerts: alerts, HTTP: export.NewHTTPClient(), Now: time.Now, Wait: backoff.Wait,
	}, nil
}

// packerOf makes files of the format. In a bucket OCSF lies as Security Lake wants it.
func packerOf(d deployed) export.Packer {
	o := d.Export.Options
	lake := ocsf.Lake{Detections: o["detections"], Incidents: o["incidents"], Region: o["region"], Account: o["accountId"]}
	switch {
	case d.Format == "parquet":
		return &parquet.Packer{Encoder: ocsfEncoder(d), Place: lake.EventPlace}
	case d.Format == "ocsf" && d.Target == "s3":
		return lake.LinePacker(ocsfEncoder(d))
	}
	encode, alerts := encoderOf(d)
	return export.Lines{Write: encode, Alerts: alerts}
}

// encoderOf is the format's, with how many of an incident's alerts it wants.
func encoderOf(d deployed) (export.Encoder, int) {
	if d.Format == "ocsf" {
		return ocsfEncoder(d).Encode, ocsf.MaxAlerts
	}
	return export.EncodeJSON, 0
}

func ocsfEncoder(d deployed) ocsf.Encoder {
	return ocsf.Encoder{Version: d.OCSF, Product: d.Version, PortalURL: d.PortalURL}
}

// toBlob writes to the account of a connection string, or to one that the app's managed identity may write to.
func toBlob(d deployed) (export.Target, error) {
	o := d.Export.Options
	t := &blob.Target{Container: o["container"], Prefix: o["prefix"], Pack: packerOf(d), Now: time.Now}
	var err error
	if len(d.secrets) > 0 {
		t.Client, err = blob.Open(d.secrets[0])
	} else {
		t.Client, err = blob.OpenAs(o["endpoint"], azuresdk.Credential(managedIdentity(d.Getenv)), nil)
	}
	return t, err
}

func toS3(d deployed) (export.Target, error) {
	o := d.Export.Options
	client, err := s3.Open(context.Background(), s3.Settings{Region: o["region"], Endpoint: o["endpoint"]}) // asks nobody yet
	return &s3.Target{
		Client: client, Bucket: o["bucket"], Prefix: o["prefix"], Pack: packerOf(d), Key: o["kmsKey"], Owner: o["owner"],
		Overwrite: o["overwrite"] == "true", Now: time.Now,
	}, err
}

func toSyslog(d deployed) (export.Target, error) {
	o := d.Export.Options
	host, _, err := net.SplitHostPort(o["address"])
	if err != nil {
		return nil, fmt.Errorf("address: %w", err)
	}
	t := &cef.Target{Address: o["address"], Host: o["host"], Version: d.Version}
	if o["tls"] != "false" {
		t.TLS = &tls.Config{ServerName: host, MinVersion: tls.VersionTLS12}
	}
	return t, nil
}

// toSentinel speaks as the app's managed identity.
func toSentinel(d deployed) (export.Target, error) {
	o, credential := d.Export.Options, managedIdentity(d.Getenv)
	return &sentinel.Target{
		Endpoint: o["endpoint"], Rule: o["rule"], AlertStream: o["alertStream"], IncidentStream: o["incidentStream"],
		NoIncidents: o["incidents"] == "false", Subscriptions: slices.Clone(d.Subscriptions), PortalURL: d.PortalURL,
		HTTP: export.NewHTTPClient(), Now: time.Now,
		Token: func(ctx context.Context) (string, error) {
			t, err := credential.Token(ctx, identity.Request{Scope: sentinel.Scope})
			return t.Value, err
		},
	}, nil
}

// managedIdentity is the app's.
func managedIdentity(getenv func(string) string) *identity.Credential {
	return &identity.Credential{Now: time.Now, Source: identity.Managed{
		Endpoint: getenv("IDENTITY_ENDPOINT"), Header: getenv("IDENTITY_HEADER"), Now: time.Now,
		Client: cmp.Or(getenv("ONEPANE_AZURE_CLIENT_ID"), getenv("AZURE_CLIENT_ID")),
	}}
}
