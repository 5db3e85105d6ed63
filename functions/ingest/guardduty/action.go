package guardduty

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/onepane/onepane/functions/ingest"
	"github.com/onepane/onepane/shared/alert"
	"github.com/onepane/onepane/shared/entity"
)

// action walks what was done, and from where.
func (w *walk) action(a *action) {
	w.connection(&a.NetworkConnectionAction)
	for i := range a.PortProbeAction.PortProbeDetails {
		w.connection(&a.PortProbeAction.PortProbeDetails[i])
	}
	w.apiCall(&a.AwsApiCallAction)
	w.dns(&a.DNSRequestAction)
	w.kubernetesCall(a)
	w.login(&a.RdsLoginAttemptAction)
}

func (w *walk) connection(c *connection) {
	w.remoteIP(&c.RemoteIPDetails, string(c.RemotePortDetails.Port), string(c.Protocol))
	w.note("direction", c.ConnectionDirection)
	w.note("local_port", c.LocalPortDetails.Port)
	w.note("protocol", c.Protocol)
}

func (w *walk) apiCall(c *apiCall) {
	w.remoteIP(&c.RemoteIPDetails, "", "")
	w.add(alert.Context, entity.Domain, c.DomainDetails.Domain)
	w.note("api", c.API)
	w.note("api_service", c.ServiceName)
	w.note("caller_type", c.CallerType)
	w.note("error_code", c.ErrorCode)
	w.note("user_agent", c.UserAgent)
	w.note("remote_account", c.RemoteAccountDetails.AccountID)
	for _, kind := range slices.Sorted(maps.Keys(c.AffectedResources)) {
		w.affected(kind, c.AffectedResources[kind])
	}
}

// affected is a resource the call changed, under its CloudFormation type, of which EventBridge lowers the first letter.
func (w *walk) affected(kind string, value ingest.Text) {
	if after, ok := strings.CutPrefix(kind, "aWS::"); ok {
		kind = "AWS::" + after
	}
	if v := string(value); kind == "AWS::S3::Bucket" && !strings.HasPrefix(v, "arn:") && !blank(v) {
		value = ingest.Text("arn:" + w.partition + ":s3:::" + v)
	}
	w.add(alert.Victim, entity.Resource, value, entity.AttrType, kind)
}

func (w *walk) dns(d *dnsRequest) {
	w.add(w.remote, entity.Domain, cmp.Or(d.Domain, d.DomainWithSuffix))
	w.note("registered_domain", d.DomainWithSuffix) // may be a provider's, shared by everyone
	w.note("vpc_owner", d.VpcOwnerAccountID)
}

func (w *walk) kubernetesCall(a *action) {
	c := &a.KubernetesAPICallAction
	w.remoteIP(&c.RemoteIPDetails, "", "")
	for _, ip := range c.SourceIPs {
		w.add(w.remote, entity.IP, ip)
	}
	w.note("request_uri", c.RequestURI)
	w.note("verb", c.Verb)
	w.note("user_agent", c.UserAgent)
	w.note("status_code", c.StatusCode)
	w.note("kubernetes_resource", c.Resource)
	w.note("kubernetes_resource_name", c.ResourceName)
	w.note("kubernetes_namespace", c.Namespace)
	p := &a.KubernetesPermissionCheckedDetails
	w.note("checked_verb", p.Verb)
	w.note("checked_resource", p.Resource)
	w.note("checked_namespace", p.Namespace)
	w.note("checked_allowed", p.Allowed)
	w.note("role_binding", a.KubernetesRoleBindingDetails.Name)
	w.note("role_binding_role", a.KubernetesRoleBindingDetails.RoleRefName)
	w.note("role", a.KubernetesRoleDetails.Name)
}

func (w *walk) login(l *loginAttempt) {
	w.remoteIP(&l.RemoteIPDetails, "", "")
	for _, at := range l.LoginAttributes {
		w.add(w.asset, entity.User, at.User, entity.AttrUserType, "database")
		w.note("failed_logins", at.FailedLoginAttempts)
		w.note("successful_logins", at.SuccessfulLoginAttempts)
	}
}

// remoteIP is the other side's address, in both versions where it states both.
func (w *walk) remoteIP(d *ipDetails, port, protocol string) {
	for _, ip := range []ingest.Text{d.IPAddressV4, d.IPAddressV6} {
		asn := string(d.Organization.Asn)
		if asn == "0" || asn == "-1" {
			asn = ""
		}
		w.add(w.remote, entity.IP, ip, entity.AttrCountry, string(d.Country.CountryName), entity.AttrCity, string(d.City.CityName),
			entity.AttrASN, asn, entity.AttrOrg, string(d.Organization.Org), entity.AttrPort, port, entity.AttrProtocol, protocol)
	}
}
