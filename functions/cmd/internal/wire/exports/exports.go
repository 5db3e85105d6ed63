// Package exports makes the export function of a configuration, and shows it to the API: the same for standalone and the cloud.
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
	PortalURL string              // where links lead, as the API's; "" when no address is known under which people find Onepane
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

func schedule(c config.Export) (export.Schedule, error) {
	if c.When == "" && c.Target == "s3" {
		return export.ParseSchedule(lakeSchedule)
	}
	return export.ParseSchedule(c.When)
}

func exportOf(c config.Export, o Options) (export.Export, error) {
	when, err := schedule(c)
	if err != nil {
		return export.Export{}, err
	}
	target, err := target(c, o)
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

// target makes the target that config.Targets knows by this word.
func target(c config.Export, with Options) (export.Target, error) {
	var secrets []string
	for _, ref := range c.Secrets {
		s, err := ref.Resolve(with.Getenv)
		if err != nil {
			return nil, fmt.Errorf("secret: %w", err)
		}
		secrets = append(secrets, s)
	}
	write, alerts := encoder(c, with)
	o := c.Options
	switch c.Target {
	case "file":
		return &file.Target{Dir: o["directory"], Name: c.Name, Pack: packer(c, with), Whole: c.Format == "parquet", Now: time.Now}, nil
	case "webhook":
		t := &webhook.Target{URL: o["url"], Write: write, Alerts: alerts, HTTP: export.NewHTTPClient(), Now: time.Now}
		for _, s := range secrets {
			key, err := webhook.ParseKey(s)
			if err != nil {
				return nil, err
			}
			t.Keys = append(t.Keys, key)
		}
		return t, nil
	case "splunk":
		return &splunk.Target{
			URL: o["url"], Token: secrets[0], Channel: o["channel"], NoAck: o["acknowledge"] == "false", Index: o["index"], Source: c.Name,
			Write: write, Alerts: alerts, HTTP: export.NewHTTPClient(), Now: time.Now, Wait: export.Wait,
		}, nil
	case "blob":
		return toBlob(c, with, secrets)
	case "s3":
		return toS3(c, with)
	case "cef":
		return syslog(o, with.Version)
	}
	return toSentinel(c, with), nil
}

// packer makes files of the format. In a bucket OCSF lies as Security Lake wants it.
func packer(c config.Export, with Options) export.Packer {
	o := c.Options
	lake := ocsf.Lake{Detections: o["detections"], Incidents: o["incidents"], Region: o["region"], Account: o["accountId"]}
	e := inOCSF(c, with)
	switch {
	case c.Format == "parquet":
		return &parquet.Packer{Encoder: e, Place: lake.EventPlace}
	case c.Format == "ocsf" && c.Target == "s3":
		return lake.LinePacker(e)
	}
	write, alerts := encoder(c, with)
	return export.Lines{Write: write, Alerts: alerts}
}

// toBlob writes to the account of a connection string, or to one that the app's managed identity may write to.
func toBlob(c config.Export, with Options, secrets []string) (export.Target, error) {
	o := c.Options
	t := &blob.Target{Container: o["container"], Prefix: o["prefix"], Pack: packer(c, with), Now: time.Now}
	var err error
	if len(secrets) > 0 {
		t.Client, err = blob.Open(secrets[0])
	} else {
		t.Client, err = blob.OpenAs(o["endpoint"], azuresdk.Credential(managed(with.Getenv)), nil)
	}
	return t, err
}

func toS3(c config.Export, with Options) (export.Target, error) {
	o := c.Options
	client, err := s3.Open(context.Background(), s3.Settings{Region: o["region"], Endpoint: o["endpoint"]}) // asks nobody yet
	return &s3.Target{
		Client: client, Bucket: o["bucket"], Prefix: o["prefix"], Pack: packer(c, with), Key: o["kmsKey"], Owner: o["owner"],
		Overwrite: o["overwrite"] == "true", Now: time.Now,
	}, err
}

// encoder is the format's, with how many of an incident's alerts it wants.
func encoder(c config.Export, with Options) (export.Encoder, int) {
	if c.Format == "ocsf" {
		return inOCSF(c, with).Encode, ocsf.MaxAlerts
	}
	return export.EncodeJSON, 0
}

func inOCSF(c config.Export, with Options) ocsf.Encoder {
	return ocsf.Encoder{Version: c.OCSF, Product: with.Version, PortalURL: with.PortalURL}
}

func syslog(o map[string]string, version string) (export.Target, error) {
	host, _, err := net.SplitHostPort(o["address"])
	if err != nil {
		return nil, fmt.Errorf("address: %w", err)
	}
	t := &cef.Target{Address: o["address"], Host: o["host"], Version: version}
	if o["tls"] != "false" {
		t.TLS = &tls.Config{ServerName: host, MinVersion: tls.VersionTLS12}
	}
	return t, nil
}

// toSentinel speaks as the app's managed identity.
func toSentinel(c config.Export, with Options) export.Target {
	credential := managed(with.Getenv)
	o := c.Options
	return &sentinel.Target{
		Endpoint: o["endpoint"], Rule: o["rule"], AlertStream: o["alertStream"], IncidentStream: o["incidentStream"], NoIncidents: o["incidents"] == "false",
		Subscriptions: slices.Clone(c.Subscriptions), PortalURL: with.PortalURL, HTTP: export.NewHTTPClient(), Now: time.Now,
		Token: func(ctx context.Context) (string, error) {
			t, err := credential.Token(ctx, identity.Request{Scope: sentinel.Scope})
			return t.Value, err
		},
	}
}

// managed is the app's managed identity.
func managed(getenv func(string) string) *identity.Credential {
	return &identity.Credential{Now: time.Now, Source: identity.Managed{
		Endpoint: getenv("IDENTITY_ENDPOINT"), Header: getenv("IDENTITY_HEADER"), Client: cmp.Or(getenv("ONEPANE_AZURE_CLIENT_ID"), getenv("AZURE_CLIENT_ID")), Now: time.Now,
	}}
}
