package inspector

import (
	"cmp"
	"strings"

	"github.com/onepane/onepane/functions/ingest"
	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/entity"
)

// resourceEvidence are the weak things: machines with their other names, images, functions, repositories.
func resourceEvidence(f *finding, account alert.Account) []alert.Evidence {
	var out []alert.Evidence
	for i := range f.Resources {
		r := &f.Resources[i]
		id := strings.TrimSpace(string(r.ID))
		if id == "" {
			continue
		}
		e := entity.Entity{Kind: entity.Resource, Value: id}
		if r.Type == "AWS_EC2_INSTANCE" {
			e = withMachineNames(e, r, account)
		}
		d := &r.Details
		e.Name = string(cmp.Or(r.Tags["Name"], d.AwsLambdaFunction.FunctionName, d.AwsEcrContainerImage.RepositoryName))
		e = e.WithAttr(entity.AttrType, string(r.Type)).WithAttr(entity.AttrRegion, string(r.Region)).WithAttr(entity.AttrAccount, account.ID).
			WithAttr(entity.AttrOS, string(cmp.Or(d.AwsEc2Instance.Platform, d.AwsEcrContainerImage.Platform)))
		out = append(out, alert.Evidence{Entity: e})
		if hash := string(d.AwsEcrContainerImage.ImageHash); hash != "" {
			image := entity.Entity{Kind: entity.Image, Value: hash, Name: e.Name}
			out = append(out, alert.Evidence{Entity: image, Role: alert.Context})
		}
	}
	return alert.MergeEvidence(nil, out)
}

// maxNames bounds the addresses of one machine; a node of a large cluster has several hundred.
const maxNames = 1000

// withMachineNames widens an instance id to its ARN and gives it its other names.
func withMachineNames(e entity.Entity, r *resource, account alert.Account) entity.Entity {
	id := e.Value
	if !strings.HasPrefix(id, "arn:") {
		region := cmp.Or(string(r.Region), account.Region)
		e.Value = "arn:" + cmp.Or(string(r.Partition), "aws") + ":ec2:" + region + ":" + account.ID + ":instance/" + id
	}
	e = e.WithAlias(entity.Resource, id[strings.LastIndexByte(id, '/')+1:])
	d := &r.Details.AwsEc2Instance
	for i, ip := range append(d.IPV4Addresses, d.IPV6Addresses...) {
		if i == maxNames {
			break
		}
		e = e.WithAlias(entity.IP, strings.TrimSpace(string(ip)))
	}
	return e.WithAttr(entity.AttrImage, string(d.ImageID)).WithAttr("instance_type", string(d.Type)).
		WithAttr("instance_profile", string(d.IamInstanceProfileArn)).WithAttr("vpc", string(d.VpcID))
}

// extraFacts keeps what the weakness is, and how to judge it.
func extraFacts(f *finding) map[string]string {
	p, n, c := &f.PackageVulnerabilityDetails, &f.NetworkReachabilityDetails, &f.CodeVulnerabilityDetails
	out := map[string]string{}
	for _, fact := range []struct {
		name  string
		value ingest.Text
	}{
		{"vulnerability", p.VulnerabilityID}, {"vulnerability_source", p.Source}, {"inspector_score", f.InspectorScore},
		{"fix_available", f.FixAvailable}, {"exploit_available", f.ExploitAvailable}, {"epss", f.Epss.Score},
		{"protocol", n.Protocol}, {"port_begin", n.OpenPortRange.Begin}, {"port_end", n.OpenPortRange.End},
		{"detector", cmp.Or(c.DetectorName, c.DetectorID)}, {"file", c.FilePath.FilePath}, {"line", c.FilePath.StartLine},
	} {
		if fact.value != "" {
			out[fact.name] = string(fact.value)
		}
	}
	join := func(name string, parts []string) {
		if len(parts) > 0 {
			out[name] = strings.Join(parts, ", ")
		}
	}
	var packages, path, cwes []string
	for _, v := range p.VulnerablePackages {
		packages = append(packages, strings.TrimSpace(string(v.Name)+" "+string(v.Version)))
	}
	for _, s := range n.NetworkPath.Steps {
		path = append(path, string(s.ComponentID))
	}
	for _, w := range c.Cwes {
		cwes = append(cwes, string(w))
	}
	join("packages", packages)
	join("network_path", path)
	join("weaknesses", cwes)
	if len(out) == 0 {
		return nil
	}
	return out
}
