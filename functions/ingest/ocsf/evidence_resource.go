package ocsf

import (
	"cmp"
	"net/netip"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/onepane/onepane/functions/ingest"
	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/entity"
)

// addResource adds one affected resource under its fullest name: the ARN in uid_alt where uid is bare.
func (w *walker) addResource(r *resource) {
	value, other := r.UID, r.UIDAlt
	if strings.HasPrefix(string(other), "arn:") && !strings.HasPrefix(string(value), "arn:") {
		value, other = other, value
	}
	if strings.HasPrefix(string(value), "AWS::::Account:") { // the whole account: a link by it would join unrelated alerts
		w.AddEntity(alert.Context, entity.Other, value, entity.AttrKind, "account")
		return
	}
	kind := entity.Resource
	if _, err := netip.ParseAddr(string(value)); err == nil {
		kind = entity.IP
	}
	if strings.HasPrefix(string(value), "i-") && w.account.Cloud == entity.Amazon && w.account.ID != "" {
		other = value
		value = ingest.Text("arn:" + cmp.Or(string(r.CloudPartition), "aws") + ":ec2:" + cmp.Or(string(r.Region), w.account.Region) + ":" +
			cmp.Or(r.ownerAccount(), w.account.ID) + ":instance/" + string(value))
	}
	e := w.AddEntity(roleOf(string(r.Role)), kind, cmp.Or(value, other, r.Name, r.Hostname), entity.AttrType, string(r.Type),
		entity.AttrRegion, string(r.Region), entity.AttrAccount, r.ownerAccount())
	if name := string(cmp.Or(r.Name, r.Hostname)); name != e.Value {
		e.Name = name
	}
	if kind == entity.Resource {
		ingest.AddAlias(e, entity.Resource, other)
		ingest.AddAlias(e, entity.Host, r.Hostname)
		ingest.AddAlias(e, entity.IP, r.IP)
		w.addInstanceNames(e, r)
	}
}

// addInstanceNames gives an EC2 instance its other names, from the data of the product that reported it.
func (w *walker) addInstanceNames(e *alert.Evidence, r *resource) {
	at := strings.LastIndex(e.Value, ":instance/")
	if at < 0 || !strings.HasPrefix(e.Value, "arn:") {
		return
	}
	ingest.AddAlias(e, entity.Resource, ingest.Text(e.Value[at+len(":instance/"):]))
	data := r.Data
	var text string
	if data.Kind() == '"' && json.Unmarshal(data, &text) == nil {
		data = jsontext.Value(text)
	}
	type addresses struct{ IPV4Addresses, IPV6Addresses ingest.List[ingest.Text] }
	var d struct{ AwsEc2InstanceDetails, AwsEc2Instance addresses }
	if data.Kind() != '{' || ingest.Decode(data, &d) != nil {
		return
	}
	for _, a := range []addresses{d.AwsEc2InstanceDetails, d.AwsEc2Instance} {
		for _, ip := range append(a.IPV4Addresses, a.IPV6Addresses...) {
			ingest.AddAlias(e, entity.IP, ip)
		}
	}
}

// roleOf reads a resource's role: target, actor, affected, related.
func roleOf(word string) alert.Role {
	switch strings.ToLower(word) {
	case "actor":
		return alert.Attacker
	case "target", "affected":
		return alert.Victim
	case "related":
		return alert.Context
	}
	return ""
}
