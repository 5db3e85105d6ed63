package guardduty

import (
	"strings"

	"github.com/onepane/onepane/functions/ingest"
	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/entity"
)

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
