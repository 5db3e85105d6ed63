package macie

import (
	"cmp"
	"strings"

	"github.com/onepane/onepane/functions/ingest"
	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/entity"
)

// walk gathers what one finding names.
type walk struct {
	account   alert.Account
	partition string
	found     []alert.Evidence
	extra     map[string]string
}

func (w *walk) finding(f *finding) {
	b, o := &f.ResourcesAffected.S3Bucket, &f.ResourcesAffected.S3Object
	bucket := string(cmp.Or(b.Arn, o.BucketArn))
	if bucket == "" && b.Name != "" {
		bucket = "arn:" + w.partition + ":s3:::" + string(b.Name)
	}
	w.add(alert.Victim, entity.Resource, bucket, string(b.Name), entity.AttrType, "AwsS3Bucket",
		"public_access", string(b.PublicAccess.EffectivePermission))
	if o.Key != "" && bucket != "" {
		w.add(alert.Victim, entity.Resource, bucket+"/"+string(o.Key), string(o.Key), entity.AttrType, "AwsS3Object", entity.AttrSize, string(o.Size))
	}
	w.actor(&f.PolicyDetails.Actor)
	w.note("category", f.Category)
	w.note("job", cmp.Or(f.ClassificationDetails.JobArn, f.ClassificationDetails.JobID))
	w.note("results", f.ClassificationDetails.DetailedResultsLocation)
	w.note("bucket_owner", b.Owner.DisplayName)
	w.note("action_type", f.PolicyDetails.Action.ActionType)
	w.note("api", f.PolicyDetails.Action.APICallDetails.API)
	w.note("api_service", f.PolicyDetails.Action.APICallDetails.APIServiceName)
	w.note("sensitive_data", ingest.Text(sensitive(f)))
}

// actor is who changed the policy, and from where.
func (w *walk) actor(a *actor) {
	ip := &a.IPAddressDetails
	w.add(alert.Attacker, entity.IP, string(ip.IPAddressV4), "", entity.AttrCountry, string(ip.IPCountry.Name),
		entity.AttrCity, string(ip.IPCity.Name), entity.AttrASN, string(ip.IPOwner.Asn), entity.AttrOrg, string(ip.IPOwner.Org))
	w.add(alert.Context, entity.Domain, string(a.DomainDetails.DomainName), "")
	u := &a.UserIdentity
	for _, id := range []identity{u.IamUser, u.Root} {
		w.user(&id, u.Type, "")
	}
	for _, s := range []session{u.AssumedRole, u.FederatedUser} {
		w.user(&identity{AccountID: s.AccountID, Arn: s.Arn, PrincipalID: s.PrincipalID, UserName: s.SessionContext.SessionIssuer.UserName}, u.Type, s.AccessKeyID)
		w.note("session_issuer", s.SessionContext.SessionIssuer.Arn)
		if strings.HasPrefix(string(s.AccessKeyID), "ASIA") {
			w.add(alert.Attacker, entity.Session, string(s.AccessKeyID), "")
		}
	}
	w.note("acting_account", u.AwsAccount.AccountID)
	w.note("acting_service", u.AwsService.InvokedBy)
}

func (w *walk) user(id *identity, kind, key ingest.Text) {
	value := cmp.Or(id.Arn, id.UserName, id.PrincipalID)
	w.add(alert.Attacker, entity.User, string(value), string(id.UserName), entity.AttrPrincipalID, string(id.PrincipalID),
		entity.AttrUserType, string(kind), entity.AttrAccessKey, string(key), entity.AttrAccount, string(id.AccountID))
}

// add keeps an entity that names something; more are attributes, name and value in turn.
func (w *walk) add(role alert.Role, kind entity.Kind, value, name string, more ...string) {
	value = strings.TrimSpace(value)
	if value == "" || value == "0.0.0.0" || strings.EqualFold(value, "N/A") {
		return
	}
	e := entity.Entity{Kind: kind, Value: value}
	if name != value {
		e.Name = name
	}
	for i := 0; i+1 < len(more); i += 2 {
		e = e.With(more[i], more[i+1])
	}
	w.found = append(w.found, alert.Evidence{Entity: e, Role: role})
}

func (w *walk) note(name string, value ingest.Text) {
	if value != "" && w.extra[name] == "" {
		w.extra[name] = string(value)
	}
}

// sensitive lists the kinds of data found, with how often.
func sensitive(f *finding) string {
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
