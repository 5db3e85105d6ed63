package guardduty

import (
	"strings"

	"github.com/onepane/onepane/functions/ingest"
	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/entity"
)

// kubernetes walks the cluster, who acted in it, and the workload with its containers.
func (w *walk) kubernetes(r *resource) {
	arn := r.EksClusterDetails.Arn
	w.Add(w.asset, entity.Cluster, arn, entity.AttrType, "AwsEksCluster").Name = string(r.EksClusterDetails.Name)
	u := &r.KubernetesDetails.KubernetesUserDetails
	w.Add(w.asset, entity.User, u.Username, entity.AttrUserType, "kubernetes", entity.AttrCluster, string(r.EksClusterDetails.Name))
	for _, s := range u.SessionName {
		w.Add(w.asset, entity.User, s, entity.AttrUserType, "session") // who took the role that is mapped to the user
	}
	w.Add(alert.Context, entity.User, u.ImpersonatedUser.Username, entity.AttrUserType, "kubernetes")
	l := &r.KubernetesDetails.KubernetesWorkloadDetails
	w.workload(l.Name, l.Type, l.Namespace, ingest.Text(r.EksClusterDetails.Name))
	w.Note("service_account", l.ServiceAccountName)
	for i := range l.Containers {
		if l.Containers[i].Name == r.ContainerDetails.Name && r.ContainerDetails.ID != "" {
			continue // the one the finding is about, which is told in full
		}
		w.container(&l.Containers[i], string(l.Name), string(l.Namespace), string(r.EksClusterDetails.Name))
	}
}

// workload is a pod where the finding says so; deployments, daemon sets and the like are named with their type.
func (w *walk) workload(name, kind, namespace, cluster ingest.Text) {
	if strings.EqualFold(strings.TrimSuffix(string(kind), "s"), "pod") {
		w.Add(w.asset, entity.Pod, name, entity.AttrNamespace, string(namespace), entity.AttrCluster, string(cluster))
		return
	}
	if !ingest.Blank(string(name)) {
		full := ingest.Text(strings.Trim(string(namespace)+"/"+string(kind)+"/"+string(name), "/"))
		w.Add(w.asset, entity.Other, full, entity.AttrKind, string(kind), entity.AttrNamespace, string(namespace),
			entity.AttrCluster, string(cluster)).Name = string(name)
	}
}

// ecs walks the cluster and the task; the container the finding is about is told in full elsewhere.
func (w *walk) ecs(c *cluster, told *container) {
	w.Add(w.asset, entity.Cluster, c.Arn, entity.AttrType, "AwsEcsCluster").Name = string(c.Name)
	w.Add(w.asset, entity.Resource, c.TaskDetails.Arn, entity.AttrType, "AwsEcsTask", "task_definition", string(c.TaskDetails.DefinitionArn))
	for i := range c.TaskDetails.Containers {
		if c.TaskDetails.Containers[i].Name == told.Name && told.ID != "" {
			continue
		}
		w.container(&c.TaskDetails.Containers[i], string(c.TaskDetails.Arn), "", string(c.Name))
	}
}

// container names a container by its id. The names of containers repeat everywhere, so one without id is named
// within its pod or task.
func (w *walk) container(c *container, owner, namespace, cluster string) {
	id := c.ID
	if ingest.Blank(string(id)) && !ingest.Blank(string(c.Name)) && owner != "" {
		id = ingest.Text(strings.Trim(namespace+"/"+owner+"/"+string(c.Name), "/"))
	}
	w.Add(w.asset, entity.Container, id, entity.AttrImage, string(c.Image), entity.AttrNamespace, namespace,
		entity.AttrCluster, cluster).Name = string(c.Name)
	w.Add(alert.Context, entity.Image, c.Image)
}
