package guardduty

import (
	"cmp"
	"strings"

	"github.com/onepane/onepane/functions/ingest"
	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/entity"
)

// sequenceMapper adds what an attack sequence names.
type sequenceMapper struct{ *evidenceMapper }

// addSequence walks an attack sequence: who acted from where on what, and the findings it sums up.
func (m sequenceMapper) addSequence(s *sequence) {
	for i := range s.Actors {
		m.addActor(&s.Actors[i])
	}
	for _, e := range s.Endpoints {
		m.AddEntity(alert.Attacker, entity.IP, e.IP, entity.AttrCountry, string(e.Location.Country), entity.AttrCity, string(e.Location.City),
			entity.AttrASN, nonZero(e.AutonomousSystem.Number), entity.AttrOrg, string(e.AutonomousSystem.Name), entity.AttrPort, nonZero(e.Port))
		m.AddEntity(alert.Attacker, entity.Domain, e.Domain)
	}
	for i := range s.Resources {
		m.addSequenceResource(&s.Resources[i], s)
	}
	for _, sig := range s.Signals {
		if strings.EqualFold(string(sig.Type), "FINDING") && sig.UID != "" {
			m.members = append(m.members, lastSegment(string(sig.UID)))
		}
	}
}

func (m sequenceMapper) addActor(a *actor) {
	key := accessKey{AccessKeyID: a.User.CredentialUID, PrincipalID: a.User.UID, UserName: a.User.Name, UserType: a.User.Type}
	m.addAccessKey(&key)
	m.AddEntity(alert.Attacker, entity.Process, cmp.Or(a.Process.Path, a.Process.Name), entity.AttrSHA256, string(a.Process.Sha256))
	m.addHash(alert.Attacker, a.Process.Sha256, a.Process.Path)
	m.AddFact("session_issuer", a.Session.Issuer)
	m.AddFact("session_mfa", a.Session.MfaStatus)
}

// addSequenceResource is a resource of the sequence by its type. Interfaces and keys are no things of their own: an
// interface gives its addresses to the machine where there is only one.
func (m sequenceMapper) addSequenceResource(r *sequenceResource, s *sequence) {
	switch kind := strings.ToUpper(string(r.ResourceType)); kind {
	case "EC2_INSTANCE":
		m.addSequenceInstance(r, s)
	case "EC2_NETWORK_INTERFACE":
		if onlyResource(s, "EC2_INSTANCE") == nil {
			for _, p := range r.Data.Ec2NetworkInterface.PrivateIPAddresses {
				m.AddEntity(alert.Victim, entity.IP, p.PrivateIPAddress)
			}
		}
	case "ACCESS_KEY":
		k := r.Data.AccessKey
		m.addAccessKey(&accessKey{AccessKeyID: r.UID, PrincipalID: k.PrincipalID, UserName: k.UserName, UserType: k.UserType})
	case "EKS_CLUSTER", "ECS_CLUSTER":
		m.AddEntity(alert.Victim, entity.Cluster, cmp.Or(r.Data.EksCluster.Arn, r.UID), entity.AttrType, string(r.ResourceType)).Name = string(r.Name)
	case "CONTAINER":
		m.addContainer(&container{ID: r.UID, Name: r.Name, Image: r.Data.Container.Image}, "", "", "")
	case "KUBERNETES_WORKLOAD":
		m.addWorkload(cmp.Or(r.Name, r.UID), r.Data.KubernetesWorkload.Type, r.Data.KubernetesWorkload.Namespace, "")
	default:
		m.AddEntity(alert.Victim, entity.Resource, cmp.Or(r.UID, r.Name), entity.AttrType, string(r.ResourceType),
			entity.AttrAccount, string(r.AccountID), entity.AttrRegion, string(r.Region)).Name = string(r.Name)
	}
}

func (m sequenceMapper) addSequenceInstance(r *sequenceResource, s *sequence) {
	id := lastSegment(string(r.UID))
	if ingest.IsBlank(id) {
		return
	}
	account, region := cmp.Or(string(r.AccountID), m.account.ID), cmp.Or(string(r.Region), m.account.Region)
	arn := ingest.Text("arn:" + m.partition + ":ec2:" + region + ":" + account + ":instance/" + id)
	e := m.AddEntity(alert.Victim, entity.Resource, arn, entity.AttrType, "AwsEc2Instance", entity.AttrAccount, account, entity.AttrRegion, region,
		"instance_type", string(r.Data.Ec2Instance.InstanceType), "instance_profile", string(r.Data.Ec2Instance.IamInstanceProfile.Arn))
	e.Name = string(r.Name)
	ingest.AddAlias(e, entity.Resource, ingest.Text(id))
	if onlyResource(s, "EC2_INSTANCE") != r {
		return
	}
	for _, n := range s.Resources {
		ingest.AddAlias(e, entity.IP, n.Data.Ec2NetworkInterface.PublicIP)
		for _, p := range n.Data.Ec2NetworkInterface.PrivateIPAddresses {
			ingest.AddAlias(e, entity.Host, p.PrivateDNSName)
			ingest.AddAlias(e, entity.IP, p.PrivateIPAddress)
		}
	}
}

// onlyResource is the sequence's resource of a type when it has just one; nil otherwise.
func onlyResource(s *sequence, kind string) *sequenceResource {
	var found *sequenceResource
	for i := range s.Resources {
		if strings.EqualFold(string(s.Resources[i].ResourceType), kind) {
			if found != nil {
				return nil
			}
			found = &s.Resources[i]
		}
	}
	return found
}

func nonZero(t ingest.Text) string {
	if t == "0" {
		return ""
	}
	return string(t)
}
