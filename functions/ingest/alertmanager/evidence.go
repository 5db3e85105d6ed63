package alertmanager

import (
	"net"
	"net/netip"
	"strings"

	"github.com/onepane/onepane/functions/ingest"
	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/entity"
)

// evidenceOf reads only the labels whose meaning is common knowledge. A label is a word some rule author chose, and a
// wrong entity joins alerts that have nothing in common.
func evidenceOf(labels map[string]ingest.Text) []alert.Evidence {
	var set ingest.EvidenceSet
	put := func(e entity.Entity, role alert.Role) { set.Add(alert.Evidence{Entity: e, Role: role}) }
	for _, name := range []string{"hostname", "host", "nodename", "node"} {
		addMachine(put, firstLabel(labels, name))
	}
	if set.List() == nil { // instance is where Prometheus scraped, often an exporter: the last resort
		addMachine(put, firstLabel(labels, "instance"))
	}
	for _, name := range []string{"ip", "ip_address", "pod_ip"} {
		if ip := firstLabel(labels, name); isIP(ip) {
			put(entity.Entity{Kind: entity.IP, Value: ip}, "")
		}
	}
	for _, name := range []string{"src_ip", "source_ip", "remote_ip", "client_ip"} {
		if ip := firstLabel(labels, name); isIP(ip) {
			put(entity.Entity{Kind: entity.IP, Value: ip}, alert.Attacker)
		}
	}
	namespace := firstLabel(labels, "namespace", "k8s_ns_name", "ns")
	if pod := firstLabel(labels, "pod", "pod_name", "k8s_pod_name"); pod != "" {
		e := entity.Entity{Kind: entity.Pod, Value: pod}
		if namespace != "" {
			e = entity.Entity{Kind: entity.Pod, Value: namespace + "/" + pod, Name: pod}.WithAttr(entity.AttrNamespace, namespace)
		}
		put(e.WithAttr(entity.AttrCluster, firstLabel(labels, "cluster")), alert.Victim)
	}
	container := entity.Entity{Kind: entity.Container, Value: firstLabel(labels, "container_id")}
	if name, pod := firstLabel(labels, "container", "container_name"), firstLabel(labels, "pod", "pod_name", "k8s_pod_name"); container.Value == "" && name != "" && pod != "" {
		container.Value, container.Name = namespace+"/"+pod+"/"+name, name // a bare container name repeats in every pod
	}
	put(container.WithAttr(entity.AttrImage, firstLabel(labels, "image")).WithAttr(entity.AttrNamespace, namespace), "")
	put(entity.Entity{Kind: entity.Image, Value: firstLabel(labels, "image")}, "")
	put(entity.Entity{Kind: entity.User, Value: firstLabel(labels, "user_name", "username")}, "")
	return set.List()
}

// addMachine adds a host, or an address where that is all the label says; a port is no part of either.
func addMachine(put func(entity.Entity, alert.Role), label string) {
	if host, _, err := net.SplitHostPort(label); err == nil {
		label = host
	}
	label = strings.Trim(label, "[]")
	switch {
	case label == "" || strings.EqualFold(label, "localhost") || strings.HasPrefix(label, "127.") || label == "::1":
	case strings.ContainsAny(label, "/ "): // a probed URL is not a machine
	case isIP(label):
		put(entity.Entity{Kind: entity.IP, Value: label}, "")
	default:
		put(entity.Entity{Kind: entity.Host, Value: label}, alert.Victim)
	}
}

func isIP(s string) bool {
	_, err := netip.ParseAddr(s)
	return err == nil
}
