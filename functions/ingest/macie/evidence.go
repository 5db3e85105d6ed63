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
	ingest.Collector
	partition string
}

func (m *evidenceMapper) addFinding(f *finding) {
	b, o := &f.ResourcesAffected.S3Bucket, &f.ResourcesAffected.S3Object
	bucket := cmp.Or(b.Arn, o.BucketArn)
	if bucket == "" && b.Name != "" {
		bucket = ingest.Text("arn:"+m.partition+":s3:::") + b.Name
	}
	m.addNamed(alert.Victim, entity.Resource, bucket, b.Name, entity.AttrType, "AwsS3Bucket",
		"public_access", string(b.PublicAccess.EffectivePermission))
	if o.Key != "" && bucket != "" {
		m.addNamed(alert.Victim, entity.Resource, bucket+"/"+o.Key, o.Key, entity.AttrType, "AwsS3Object", entity.AttrSize, string(o.Size))
	}
	m.addActor(&f.PolicyDetails.Actor)
	m.AddFact("category", f.Category)
	m.AddFact("job", cmp.Or(f.ClassificationDetails.JobArn, f.ClassificationDetails.JobID))
	m.AddFact("results", f.ClassificationDetails.DetailedResultsLocation)
	m.AddFact("bucket_owner", b.Owner.DisplayName)
	m.AddFact("action_type", f.PolicyDetails.Action.ActionType)
	m.AddFact("api", f.PolicyDetails.Action.APICallDetails.API)
	m.AddFact("api_service", f.PolicyDetails.Action.APICallDetails.APIServiceName)
	m.AddFact("sensitive_data", ingest.Text(listSensitiveData(f)))
}

// addActor is who changed the policy, and from where.
func (m *evidenceMapper) addActor(a *actor) {
	ip := &a.IPAddressDetails
	m.AddEntity(alert.Attacker, entity.IP, ip.IPAddressV4, entity.AttrCountry, string(ip.IPCountry.Name),
		entity.AttrCity, string(ip.IPCity.Name), entity.AttrASN, string(ip.IPOwner.Asn), entity.AttrOrg, string(ip.IPOwner.Org))
	m.AddEntity(alert.Context, entity.Domain, a.DomainDetails.DomainName)
	u := &a.UserIdentity
	for _, id := range []identity{u.IamUser, u.Root} {
		m.addUser(&id, u.Type, "")
	}
	for _, s := range []session{u.AssumedRole, u.FederatedUser} {
		m.addUser(&identity{AccountID: s.AccountID, Arn: s.Arn, PrincipalID: s.PrincipalID, UserName: s.SessionContext.SessionIssuer.UserName}, u.Type, s.AccessKeyID)
		m.AddFact("session_issuer", s.SessionContext.SessionIssuer.Arn)
		if strings.HasPrefix(string(s.AccessKeyID), "ASIA") {
			m.AddEntity(alert.Attacker, entity.Session, s.AccessKeyID)
		}
	}
	m.AddFact("acting_account", u.AwsAccount.AccountID)
	m.AddFact("acting_service", u.AwsService.InvokedBy)
}

func (m *evidenceMapper) addUser(id *identity, kind, key ingest.Text) {
	m.addNamed(alert.Attacker, entity.User, cmp.Or(id.Arn, id.UserName, id.PrincipalID), id.UserName,
		entity.AttrPrincipalID, string(id.PrincipalID),
		entity.AttrUserType, string(kind), entity.AttrAccessKey, string(key), entity.AttrAccount, string(id.AccountID))
}

// addNamed adds an entity with the name that people know it by, unless that is its value.
func (m *evidenceMapper) addNamed(role alert.Role, kind entity.Kind, value, name ingest.Text, attributes ...string) {
	if e := m.AddEntity(role, kind, value, attributes...); string(name) != e.Value {
		e.Name = string(name)
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
