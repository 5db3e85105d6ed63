package guardduty

import (
	"cmp"
	"strings"

	"github.com/onepane/onepane/functions/ingest"
	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/entity"
)

// addResource walks everything the finding says of the account's own side.
func (w *walker) addResource(r *resource, act *action) {
	w.addInstance(&r.InstanceDetails, act)
	w.addAccessKey(&r.AccessKeyDetails)
	w.addBuckets(r.S3BucketDetails)
	w.addKubernetes(r)
	w.addECS(&r.EcsClusterDetails, &r.ContainerDetails)
	w.addContainer(&r.ContainerDetails, "", "", "")
	w.addDatabases(r)
	w.AddEntity(w.asset, entity.Resource, r.LambdaDetails.FunctionArn, entity.AttrType, "AwsLambdaFunction").Name = string(r.LambdaDetails.FunctionName)
	for _, v := range append(r.EbsVolumeDetails.ScannedVolumeDetails, r.EbsVolumeDetails.SkippedVolumeDetails...) {
		w.AddEntity(alert.Context, entity.Resource, v.VolumeArn, entity.AttrType, "AwsEc2Volume")
	}
	w.AddEntity(w.asset, entity.Resource, r.EbsSnapshotDetails.SnapshotArn, entity.AttrType, "AwsEc2Snapshot")
	w.AddEntity(w.asset, entity.Resource, r.Ec2ImageDetails.ImageArn, entity.AttrType, "AwsEc2Image")
	w.AddEntity(w.asset, entity.Resource, r.RecoveryPointDetails.RecoveryPointArn, entity.AttrType, "AwsBackupRecoveryPoint")
	w.AddFact("backup_vault", r.RecoveryPointDetails.BackupVaultName)
}

// addInstance is one machine; its interfaces give its other names.
func (w *walker) addInstance(d *instance, act *action) {
	id := strings.TrimSpace(string(d.InstanceID))
	if ingest.IsBlank(id) {
		return
	}
	e := w.AddEntity(w.asset, entity.Resource, w.arnOf("ec2", "instance/"+id),
		entity.AttrType, "AwsEc2Instance", entity.AttrAccount, w.account.ID, entity.AttrRegion, w.account.Region,
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
		w.AddFact("vpc", n.VpcID)
	}
	ingest.AddAlias(e, entity.IP, act.NetworkConnectionAction.LocalIPDetails.IPAddressV4)
	for _, p := range act.PortProbeAction.PortProbeDetails {
		ingest.AddAlias(e, entity.IP, p.LocalIPDetails.IPAddressV4)
	}
}

// addAccessKey is whose credentials were used: a user, or a session of a role, which its principal id names
// ("AROAEXAMPLE:session").
func (w *walker) addAccessKey(k *accessKey) {
	name, session := string(k.UserName), ""
	if _, after, ok := strings.Cut(string(k.PrincipalID), ":"); ok {
		session = after
	}
	value := ingest.Text(cmp.Or(name, session, string(k.PrincipalID)))
	sts, iam := "arn:"+w.partition+":sts::"+w.account.ID+":", "arn:"+w.partition+":iam::"+w.account.ID+":"
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
	e := w.AddEntity(w.asset, entity.User, value, entity.AttrPrincipalID, string(k.PrincipalID),
		entity.AttrAccessKey, string(k.AccessKeyID), entity.AttrUserType, string(k.UserType), entity.AttrAccount, w.account.ID)
	if name != "" && name != e.Value {
		e.Name = name
	}
	ingest.AddAlias(e, entity.User, ingest.Text(alias))
	if strings.HasPrefix(string(k.AccessKeyID), "ASIA") { // a temporary key is one session; a lasting one is its user
		w.AddEntity(w.asset, entity.Session, k.AccessKeyID)
	}
}

func (w *walker) addBuckets(list ingest.List[bucket]) {
	for _, b := range list {
		arn := b.Arn
		if arn == "" && b.Name != "" {
			arn = ingest.Text("arn:" + w.partition + ":s3:::" + string(b.Name))
		}
		e := w.AddEntity(w.asset, entity.Resource, arn, entity.AttrType, "AwsS3Bucket", "public_access", string(b.PublicAccess.EffectivePermission))
		e.Name = string(b.Name)
		for _, o := range b.S3ObjectDetails {
			w.AddEntity(w.asset, entity.Resource, o.ObjectArn, entity.AttrType, "AwsS3Object").Name = string(o.Key)
			w.addHash(alert.Attacker, o.Hash, o.Key)
		}
	}
}

func (w *walker) addDatabases(r *resource) {
	d := &r.RdsDBInstanceDetails
	e := w.AddEntity(w.asset, entity.Resource, cmp.Or(d.DBInstanceArn, d.DBInstanceIdentifier), entity.AttrType, "AwsRdsDbInstance",
		"engine", string(d.Engine), entity.AttrCluster, string(d.DBClusterIdentifier))
	e.Name = string(d.DBInstanceIdentifier)
	ingest.AddAlias(e, entity.Resource, d.DBIResourceID)
	l := &r.RdsLimitlessDBDetails
	e = w.AddEntity(w.asset, entity.Resource, cmp.Or(l.DBShardGroupArn, l.DBShardGroupIdentifier), entity.AttrType, "AwsRdsDbShardGroup",
		"engine", string(l.Engine), entity.AttrCluster, string(l.DBClusterIdentifier))
	e.Name = string(l.DBShardGroupIdentifier)
	u := &r.RdsDBUserDetails
	w.AddEntity(w.asset, entity.User, u.User, entity.AttrUserType, "database", "database", string(u.Database))
	w.AddFact("database_application", u.Application)
}

// addHash keeps a file by its hash; the path it lay at goes along.
func (w *walker) addHash(role alert.Role, value, path ingest.Text) {
	e := w.AddEntity(role, entity.FileHash, value, entity.AttrPath, string(path))
	if len(e.Value) == 64 {
		e.Entity = e.WithAttr(entity.AttrSHA256, e.Value)
	}
}

// addKubernetes walks the cluster, who acted in it, and the workload with its containers.
func (w *walker) addKubernetes(r *resource) {
	arn := r.EksClusterDetails.Arn
	w.AddEntity(w.asset, entity.Cluster, arn, entity.AttrType, "AwsEksCluster").Name = string(r.EksClusterDetails.Name)
	u := &r.KubernetesDetails.KubernetesUserDetails
	w.AddEntity(w.asset, entity.User, u.Username, entity.AttrUserType, "kubernetes", entity.AttrCluster, string(r.EksClusterDetails.Name))
	for _, s := range u.SessionName {
		w.AddEntity(w.asset, entity.User, s, entity.AttrUserType, "session") // who took the role that is mapped to the user
	}
	w.AddEntity(alert.Context, entity.User, u.ImpersonatedUser.Username, entity.AttrUserType, "kubernetes")
	l := &r.KubernetesDetails.KubernetesWorkloadDetails
	w.addWorkload(l.Name, l.Type, l.Namespace, ingest.Text(r.EksClusterDetails.Name))
	w.AddFact("service_account", l.ServiceAccountName)
	for i := range l.Containers {
		if l.Containers[i].Name == r.ContainerDetails.Name && r.ContainerDetails.ID != "" {
			continue // the one the finding is about, which is told in full
		}
		w.addContainer(&l.Containers[i], string(l.Name), string(l.Namespace), string(r.EksClusterDetails.Name))
	}
}

// addWorkload is a pod where the finding says so; deployments, daemon sets and the like are named with their type.
func (w *walker) addWorkload(name, kind, namespace, cluster ingest.Text) {
	if strings.EqualFold(strings.TrimSuffix(string(kind), "s"), "pod") {
		w.AddEntity(w.asset, entity.Pod, name, entity.AttrNamespace, string(namespace), entity.AttrCluster, string(cluster))
		return
	}
	if !ingest.IsBlank(string(name)) {
		full := ingest.Text(strings.Trim(string(namespace)+"/"+string(kind)+"/"+string(name), "/"))
		w.AddEntity(w.asset, entity.Other, full, entity.AttrKind, string(kind), entity.AttrNamespace, string(namespace),
			entity.AttrCluster, string(cluster)).Name = string(name)
	}
}

// addECS walks the cluster and the task; the container the finding is about is told in full elsewhere.
func (w *walker) addECS(c *cluster, told *container) {
	w.AddEntity(w.asset, entity.Cluster, c.Arn, entity.AttrType, "AwsEcsCluster").Name = string(c.Name)
	w.AddEntity(w.asset, entity.Resource, c.TaskDetails.Arn, entity.AttrType, "AwsEcsTask", "task_definition", string(c.TaskDetails.DefinitionArn))
	for i := range c.TaskDetails.Containers {
		if c.TaskDetails.Containers[i].Name == told.Name && told.ID != "" {
			continue
		}
		w.addContainer(&c.TaskDetails.Containers[i], string(c.TaskDetails.Arn), "", string(c.Name))
	}
}

// addContainer names a container by its id. The names of containers repeat everywhere, so one without id is named
// within its pod or task.
func (w *walker) addContainer(c *container, owner, namespace, cluster string) {
	id := c.ID
	if ingest.IsBlank(string(id)) && !ingest.IsBlank(string(c.Name)) && owner != "" {
		id = ingest.Text(strings.Trim(namespace+"/"+owner+"/"+string(c.Name), "/"))
	}
	w.AddEntity(w.asset, entity.Container, id, entity.AttrImage, string(c.Image), entity.AttrNamespace, namespace,
		entity.AttrCluster, cluster).Name = string(c.Name)
	w.AddEntity(alert.Context, entity.Image, c.Image)
}
