package securityhub

import (
	"cmp"
	"strings"

	"github.com/go-json-experiment/json"

	"github.com/onepane/onepane/functions/ingest"
	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/entity"
)

// addResource keeps one of the finding's resources: a user for identities, a machine with its other names, a cluster, a
// container, else a resource by its id.
func (m *evidenceMapper) addResource(r *resource) {
	d := r.decodeDetails()
	role := roleOf(string(r.ResourceRole))
	kind := kindOf(string(r.Type))
	switch r.Type {
	case "AwsIamAccessKey":
		if m.addUser(&d.AwsIamAccessKey, role) {
			m.addIssuer(r, &d.AwsIamAccessKey)
			return
		}
	case "AwsAccount": // the whole account: naming it links nothing
		m.AddEntity(alert.Context, entity.Other, r.ID, entity.AttrKind, "account")
		return
	case "Container":
		m.AddEntity(alert.Context, entity.Image, d.Container.ImageName)
	case "AwsEcrContainerImage":
		m.AddEntity(alert.Context, entity.Image, d.AwsEcrContainerImage.ImageDigest).Name = string(d.AwsEcrContainerImage.RepositoryName)
	}
	e := m.AddEntity(role, kind, r.ID, entity.AttrType, string(r.Type), entity.AttrRegion, string(r.Region), entity.AttrAccount, arnAccount(string(r.ID)))
	switch r.Type {
	case "AwsEc2Instance":
		m.addMachineNames(e, r, &d.AwsEc2Instance)
	case "AwsIamUser":
		e.Name = cmp.Or(string(d.AwsIamUser.UserName), ingest.LastSegment(e.Value))
		e.Entity = e.WithAttr(entity.AttrPrincipalID, string(d.AwsIamUser.UserID))
	case "AwsS3Bucket", "AwsIamRole", "AwsLambdaFunction":
		e.Name = e.Value[strings.LastIndexAny(e.Value, ":/")+1:]
	case "AwsRdsDbInstance":
		e.Name = string(d.AwsRdsDBInstance.DBInstanceIdentifier)
		ingest.AddAlias(e, entity.Resource, d.AwsRdsDBInstance.DBIResourceID)
	case "AwsEksCluster", "AwsEcsCluster":
		e.Name = cmp.Or(string(d.AwsEksCluster.Name), ingest.LastSegment(e.Value))
	case "Container":
		e.Name = string(d.Container.Name)
		e.Entity = e.WithAttr(entity.AttrImage, string(d.Container.ImageName))
	}
}

// addMachineNames gives an instance its other names.
func (m *evidenceMapper) addMachineNames(e *alert.Evidence, r *resource, d *ec2Instance) {
	ingest.AddAlias(e, entity.Resource, ingest.Text(ingest.LastSegment(e.Value)))
	for _, ip := range append(d.IPV4Addresses, d.IPV6Addresses...) {
		ingest.AddAlias(e, entity.IP, ip)
	}
	e.Entity = e.WithAttr("instance_type", string(d.Type)).WithAttr(entity.AttrImage, string(d.ImageID)).WithAttr("instance_profile", string(d.IamInstanceProfileArn))
	var tags map[string]ingest.Text
	if r.Tags.Kind() == '{' && json.Unmarshal(r.Tags, &tags) == nil {
		e.Name = string(tags["Name"])
	}
	m.AddFact("vpc", d.VpcID)
}

// addUser keeps whose key it was, and says whether the details name anyone. A session of a role is named by the
// principal id ("AROAEXAMPLE:session").
func (m *evidenceMapper) addUser(k *accessKey, role alert.Role) bool {
	name := cmp.Or(string(k.UserName), string(k.PrincipalName))
	issuer := k.SessionContext.SessionIssuer
	_, session, _ := strings.Cut(string(k.PrincipalID), ":")
	account := cmp.Or(string(k.AccountID), m.account.ID)
	value, alias := cmp.Or(name, session, string(k.PrincipalID)), ""
	switch roleName := ingest.LastSegment(cmp.Or(string(issuer.UserName), name)); {
	case ingest.IsBlank(value):
		return false
	case k.PrincipalType == "AssumedRole" && session != "" && roleName != "":
		value = "arn:aws:sts::" + account + ":assumed-role/" + roleName + "/" + session
	case k.PrincipalType == "IAMUser" && name != "":
		alias = "arn:aws:iam::" + account + ":user/" + name
	case k.PrincipalType == "Root":
		value = "arn:aws:iam::" + account + ":root"
	}
	e := m.AddEntity(role, entity.User, ingest.Text(value), entity.AttrPrincipalID, string(k.PrincipalID),
		entity.AttrAccessKey, string(k.AccessKeyID), entity.AttrUserType, string(k.PrincipalType), entity.AttrAccount, account)
	if name != e.Value {
		e.Name = name
	}
	ingest.AddAlias(e, entity.User, ingest.Text(alias))
	if strings.HasPrefix(string(k.AccessKeyID), "ASIA") { // a temporary key is one session; a lasting one is its user
		m.AddEntity(role, entity.Session, k.AccessKeyID)
	}
	return true
}

// addIssuer notes the role behind a session, and gives the user just kept the key's resource id as another name.
func (m *evidenceMapper) addIssuer(r *resource, k *accessKey) {
	m.AddFact("session_issuer", k.SessionContext.SessionIssuer.Arn)
	for i := len(m.Found) - 1; i >= 0; i-- {
		if e := &m.Found[i]; e.Kind == entity.User {
			ingest.AddAlias(e, entity.Resource, r.ID)
			if id := string(r.ID); e.Attr(entity.AttrAccessKey) == "" {
				e.Entity = e.WithAttr(entity.AttrAccessKey, id[strings.LastIndexByte(id, ':')+1:])
			}
			return
		}
	}
}

// kindOf is the kind of entity behind a resource type.
func kindOf(t string) entity.Kind {
	switch t {
	case "AwsIamUser":
		return entity.User
	case "AwsEksCluster", "AwsEcsCluster":
		return entity.Cluster
	case "Container":
		return entity.Container
	}
	return entity.Resource
}

// roleOf reads ResourceRole: the target, or a resource that acts on others.
func roleOf(word string) alert.Role {
	switch strings.ToLower(word) {
	case "actor":
		return alert.Attacker
	case "":
		return ""
	}
	return alert.Victim
}

// arnAccount is the account in an ARN; empty when id is none or names no account.
func arnAccount(id string) string {
	if part := strings.SplitN(id, ":", 6); len(part) == 6 && part[0] == "arn" {
		return part[4]
	}
	return ""
}
