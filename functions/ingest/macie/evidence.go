package macie

import (
	"cmp"
	"strings"

	"github.com/onepane/onepane/functions/ingest"
	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/entity"
)

// evidenceMapper gathers what one finding names.
type evidenceMapper struct {
	account   alert.Account
	partition string
	found     []alert.Evidence
	extra     map[string]string
}

func (m *evidenceMapper) addFinding(f *finding) {
	b, o := &f.ResourcesAffected.S3Bucket, &f.ResourcesAffected.S3Object
	bucket := string(cmp.Or(b.Arn, o.BucketArn))
	if bucket == "" && b.Name != "" {
		bucket = "arn:" + m.partition + ":s3:::" + string(b.Name)
	}
	m.addEntity(alert.Victim, entity.Resource, bucket, string(b.Name), entity.AttrType, "AwsS3Bucket",
		"public_access", string(b.PublicAccess.EffectivePermission))
	if o.Key != "" && bucket != "" {
		m.addEntity(alert.Victim, entity.Resource, bucket+"/"+string(o.Key), string(o.Key), entity.AttrType, "AwsS3Object", entity.AttrSize, string(o.Size))
	}
	m.addActor(&f.PolicyDetails.Actor)
	m.addFact("category", f.Category)
	m.addFact("job", cmp.Or(f.ClassificationDetails.JobArn, f.ClassificationDetails.JobID))
	m.addFact("results", f.ClassificationDetails.DetailedResultsLocation)
	m.addFact("bucket_owner", b.Owner.DisplayName)
	m.addFact("action_type", f.PolicyDetails.Action.ActionType)
	m.addFact("api", f.PolicyDetails.Action.APICallDetails.API)
	m.addFact("api_service", f.PolicyDetails.Action.APICallDetails.APIServiceName)
	m.addFact("sensitive_data", ingest.Text(listSensitiveData(f)))
}

// addActor is who changed the policy, and from where.
func (m *evidenceMapper) addActor(a *actor) {
	ip := &a.IPAddressDetails
	m.addEntity(alert.Attacker, entity.IP, string(ip.IPAddressV4), "", entity.AttrCountry, string(ip.IPCountry.Name),
		entity.AttrCity, string(ip.IPCity.Name), entity.AttrASN, string(ip.IPOwner.Asn), entity.AttrOrg, string(ip.IPOwner.Org))
	m.addEntity(alert.Context, entity.Domain, string(a.DomainDetails.DomainName), "")
	u := &a.UserIdentity
	for _, id := range []identity{u.IamUser, u.Root} {
		m.addUser(&id, u.Type, "")
	}
	for _, s := range []session{u.AssumedRole, u.FederatedUser} {
		m.addUser(&identity{AccountID: s.AccountID, Arn: s.Arn, PrincipalID: s.PrincipalID, UserName: s.SessionContext.SessionIssuer.UserName}, u.Type, s.AccessKeyID)
		m.addFact("session_issuer", s.SessionContext.SessionIssuer.Arn)
		if strings.HasPrefix(string(s.AccessKeyID), "ASIA") {
			m.addEntity(alert.Attacker, entity.Session, string(s.AccessKeyID), "")
		}
	}
	m.addFact("acting_account", u.AwsAccount.AccountID)
	m.addFact("acting_service", u.AwsService.InvokedBy)
}

func (m *evidenceMapper) addUser(id *identity, kind, key ingest.Text) {
	value := cmp.Or(id.Arn, id.UserName, id.PrincipalID)
	m.addEntity(alert.Attacker, entity.User, string(value), string(id.UserName), entity.AttrPrincipalID, string(id.PrincipalID),
		entity.AttrUserType, string(kind), entity.AttrAccessKey, string(key), entity.AttrAccount, string(id.AccountID))
}

// addEntity keeps an entity that names something; more are attributes, name and value in turn.
func (m *evidenceMapper) addEntity(role alert.Role, kind entity.Kind, value, name string, more ...string) {
	value = strings.TrimSpace(value)
	if value == "" || value == "0.0.0.0" || strings.EqualFold(value, "N/A") {
		return
	}
	e := entity.Entity{Kind: kind, Value: value}
	if name != value {
		e.Name = name
	}
	for i := 0; i+1 < len(more); i += 2 {
		e = e.WithAttr(more[i], more[i+1])
	}
	m.found = append(m.found, alert.Evidence{Entity: e, Role: role})
}

func (m *evidenceMapper) addFact(name string, value ingest.Text) {
	if value != "" && m.extra[name] == "" {
		m.extra[name] = string(value)
	}
}

// listSensitiveData lists the kinds of data found, with how often.
func listSensitiveData(f *finding) string {
	var out []string
	for _, d := range f.ClassificationDetails.Result.SensitiveData {
		for _, found := range d.Detections {
			out = append(out, strings.TrimSpace(string(found.Type)+" "+string(found.Count)))
		}
	}
	for _, d := range f.ClassificationDetails.Result.CustomDataIdentifiers.Detections {
		out = append(out, string(d.Name))
	}
	return strings.Join(out, ", ")
}
