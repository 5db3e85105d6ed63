package guardduty

import (
	"cmp"
	"strings"

	"github.com/onepane/onepane/functions/ingest"
	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/entity"
)

// addResource walks everything the finding says of the account's own side.
func (m *evidenceMapper) addResource(r *resource, act *action) {
	m.addInstance(&r.InstanceDetails, act)
	m.addAccessKey(&r.AccessKeyDetails)
	m.addBuckets(r.S3BucketDetails)
	m.addKubernetes(r)
	m.addECS(&r.EcsClusterDetails, &r.ContainerDetails)
	m.addContainer(&r.ContainerDetails, "", "", "")
	m.addDatabases(r)
	m.AddEntity(m.asset, entity.Resource, r.LambdaDetails.FunctionArn, entity.AttrType, "AwsLambdaFunction").Name = string(r.LambdaDetails.FunctionName)
	for _, v := range append(r.EbsVolumeDetails.ScannedVolumeDetails, r.EbsVolumeDetails.SkippedVolumeDetails...) {
		m.AddEntity(alert.Context, entity.Resource, v.VolumeArn, entity.AttrType, "AwsEc2Volume")
	}
	m.AddEntity(m.asset, entity.Resource, r.EbsSnapshotDetails.SnapshotArn, entity.AttrType, "AwsEc2Snapshot")
	m.AddEntity(m.asset, entity.Resource, r.Ec2ImageDetails.ImageArn, entity.AttrType, "AwsEc2Image")
	m.AddEntity(m.asset, entity.Resource, r.RecoveryPointDetails.RecoveryPointArn, entity.AttrType, "AwsBackupRecoveryPoint")
	m.AddFact("backup_vault", r.RecoveryPointDetails.BackupVaultName)
}

// addInstance is one machine; its interfaces give its other names.
func (m *evidenceMapper) addInstance(d *instance, act *action) {
	id := strings.TrimSpace(string(d.InstanceID))
	if ingest.IsBlank(id) {
		return
	}
	e := m.AddEntity(m.asset, entity.Resource, m.arnOf("ec2", "instance/"+id),
		entity.AttrType, "AwsEc2Instance", entity.AttrAccount, m.account.ID, entity.AttrRegion, m.account.Region,
		entity.AttrOS, string(d.Platform), entity.AttrImage, string(d.ImageID), "instance_type", string(d.InstanceType),
		"instance_profile", string(d.IamInstanceProfile.Arn))
	ingest.AddAlias(e, entity.Resource, d.InstanceID)
	for _, t := range d.Tags {
		if t.Key == "Name" {
			e.Name = string(t.Value)
		}
	}
	for _, n := range d.NetworkInterfaces {
		ingest.AddAlias(e, entity.Host, n.PrivateDNSName)
		ingest.AddAlias(e, entity.IP, n.PrivateIPAddress)
		for _, p := range n.PrivateIPAddresses {
			ingest.AddAlias(e, entity.Host, p.PrivateDNSName)
			ingest.AddAlias(e, entity.IP, p.PrivateIPAddress)
		}
		for _, v6 := range n.Ipv6Addresses {
			ingest.AddAlias(e, entity.IP, v6)
		}
		ingest.AddAlias(e, entity.Host, n.PublicDNSName)
		ingest.AddAlias(e, entity.IP, n.PublicIP)
		m.AddFact("vpc", n.VpcID)
	}
	ingest.AddAlias(e, entity.IP, act.NetworkConnectionAction.LocalIPDetails.IPAddressV4)
	for _, p := range act.PortProbeAction.PortProbeDetails {
		ingest.AddAlias(e, entity.IP, p.LocalIPDetails.IPAddressV4)
	}
}

// addAccessKey is whose credentials were used: a user, or a session of a role, which its principal id names
// ("AROAEXAMPLE:session").
func (m *evidenceMapper) addAccessKey(k *accessKey) {
	name, session := string(k.UserName), ""
	if _, after, ok := strings.Cut(string(k.PrincipalID), ":"); ok {
		session = after
	}
	value := ingest.Text(cmp.Or(name, session, string(k.PrincipalID)))
	sts, iam := "arn:"+m.partition+":sts::"+m.account.ID+":", "arn:"+m.partition+":iam::"+m.account.ID+":"
	alias := ""
	switch {
	case ingest.IsBlank(string(value)):
		return
	case k.UserType == "AssumedRole" && session != "" && name != "":
		value = ingest.Text(sts + "assumed-role/" + name + "/" + session)
	case k.UserType == "FederatedUser" && name != "":
		alias = sts + "federated-user/" + name
	case k.UserType == "IAMUser":
		alias = iam + "user/" + name
	case k.UserType == "Root":
		value = ingest.Text(iam + "root")
	}
	e := m.AddEntity(m.asset, entity.User, value, entity.AttrPrincipalID, string(k.PrincipalID),
		entity.AttrAccessKey, string(k.AccessKeyID), entity.AttrUserType, string(k.UserType), entity.AttrAccount, m.account.ID)
	if name != "" && name != e.Value {
		e.Name = name
	}
	ingest.AddAlias(e, entity.User, ingest.Text(alias))
	if strings.HasPrefix(string(k.AccessKeyID), "ASIA") { // a temporary key is one session; a lasting one is its user
		m.AddEntity(m.asset, entity.Session, k.AccessKeyID)
	}
}

func (m *evidenceMapper) addBuckets(list ingest.List[bucket]) {
	for _, b := range list {
		arn := b.Arn
		if arn == "" && b.Name != "" {
			arn = ingest.Text("arn:" + m.partition + ":s3:::" + string(b.Name))
		}
		e := m.AddEntity(m.asset, entity.Resource, arn, entity.AttrType, "AwsS3Bucket", "public_access", string(b.PublicAccess.EffectivePermission))
		e.Name = string(b.Name)
		for _, o := range b.S3ObjectDetails {
			m.AddEntity(m.asset, entity.Resource, o.ObjectArn, entity.AttrType, "AwsS3Object").Name = string(o.Key)
			m.addHash(alert.Attacker, o.Hash, o.Key)
		}
	}
}

func (m *evidenceMapper) addDatabases(r *resource) {
	d := &r.RdsDBInstanceDetails
	e := m.AddEntity(m.asset, entity.Resource, cmp.Or(d.DBInstanceArn, d.DBInstanceIdentifier), entity.AttrType, "AwsRdsDbInstance",
		"engine", string(d.Engine), entity.AttrCluster, string(d.DBClusterIdentifier))
	e.Name = string(d.DBInstanceIdentifier)
	ingest.AddAlias(e, entity.Resource, d.DBIResourceID)
	l := &r.RdsLimitlessDBDetails
	e = m.AddEntity(m.asset, entity.Resource, cmp.Or(l.DBShardGroupArn, l.DBShardGroupIdentifier), entity.AttrType, "AwsRdsDbShardGroup",
		"engine", string(l.Engine), entity.AttrCluster, string(l.DBClusterIdentifier))
	e.Name = string(l.DBShardGroupIdentifier)
	u := &r.RdsDBUserDetails
	m.AddEntity(m.asset, entity.User, u.User, entity.AttrUserType, "database", "database", string(u.Database))
	m.AddFact("database_application", u.Application)
}

// addHash keeps a file by its hash; the path it lay at goes along.
func (m *evidenceMapper) addHash(role alert.Role, value, path ingest.Text) {
	e := m.AddEntity(role, entity.FileHash, value, entity.AttrPath, string(path))
	if len(e.Value) == 64 {
		e.Entity = e.WithAttr(entity.AttrSHA256, e.Value)
	}
}

// addKubernetes walks the cluster, who acted in it, and the workload with its containers.
func (m *evidenceMapper) addKubernetes(r *resource) {
	arn := r.EksClusterDetails.Arn
	m.AddEntity(m.asset, entity.Cluster, arn, entity.AttrType, "AwsEksCluster").Name = string(r.EksClusterDetails.Name)
	u := &r.KubernetesDetails.KubernetesUserDetails
	m.AddEntity(m.asset, entity.User, u.Username, entity.AttrUserType, "kubernetes", entity.AttrCluster, string(r.EksClusterDetails.Name))
	for _, s := range u.SessionName {
		m.AddEntity(m.asset, entity.User, s, entity.AttrUserType, "session") // who took the role that is mapped to the user
	}
	m.AddEntity(alert.Context, entity.User, u.ImpersonatedUser.Username, entity.AttrUserType, "kubernetes")
	l := &r.KubernetesDetails.KubernetesWorkloadDetails
	m.addWorkload(l.Name, l.Type, l.Namespace, ingest.Text(r.EksClusterDetails.Name))
	m.AddFact("service_account", l.ServiceAccountName)
	for i := range l.Containers {
		if l.Containers[i].Name == r.ContainerDetails.Name && r.ContainerDetails.ID != "" {
			continue // the one the finding is about, which is told in full
		}
		m.addContainer(&l.Containers[i], string(l.Name), string(l.Namespace), string(r.EksClusterDetails.Name))
	}
}

// addWorkload is a pod where the finding says so; deployments, daemon sets and the like are named with their type.
func (m *evidenceMapper) addWorkload(name, kind, namespace, cluster ingest.Text) {
	if strings.EqualFold(strings.TrimSuffix(string(kind), "s"), "pod") {
		m.AddEntity(m.asset, entity.Pod, name, entity.AttrNamespace, string(namespace), entity.AttrCluster, string(cluster))
		return
	}
	if !ingest.IsBlank(string(name)) {
		full := ingest.Text(strings.Trim(string(namespace)+"/"+string(kind)+"/"+string(name), "/"))
		m.AddEntity(m.asset, entity.Other, full, entity.AttrKind, string(kind), entity.AttrNamespace, string(namespace),
			entity.AttrCluster, string(cluster)).Name = string(name)
	}
}

// addECS walks the cluster and the task; the container the finding is about is told in full elsewhere.
func (m *evidenceMapper) addECS(c *cluster, told *container) {
	m.AddEntity(m.asset, entity.Cluster, c.Arn, entity.AttrType, "AwsEcsCluster").Name = string(c.Name)
	m.AddEntity(m.asset, entity.Resource, c.TaskDetails.Arn, entity.AttrType, "AwsEcsTask", "task_definition", string(c.TaskDetails.DefinitionArn))
	for i := range c.TaskDetails.Containers {
		if c.TaskDetails.Containers[i].Name == told.Name && told.ID != "" {
			continue
		}
		m.addContainer(&c.TaskDetails.Containers[i], string(c.TaskDetails.Arn), "", string(c.Name))
	}
}

// addContainer names a container by its id. The names of containers repeat everywhere, so one without id is named
// within its pod or task.
func (m *evidenceMapper) addContainer(c *container, owner, namespace, cluster string) {
	id := c.ID
	if ingest.IsBlank(string(id)) && !ingest.IsBlank(string(c.Name)) && owner != "" {
		id = ingest.Text(strings.Trim(namespace+"/"+owner+"/"+string(c.Name), "/"))
	}
	m.AddEntity(m.asset, entity.Container, id, entity.AttrImage, string(c.Image), entity.AttrNamespace, namespace,
		entity.AttrCluster, cluster).Name = string(c.Name)
	m.AddEntity(alert.Context, entity.Image, c.Image)
}
