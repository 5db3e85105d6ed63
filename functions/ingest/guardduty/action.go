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
	w.Note("direction", c.ConnectionDirection)
	w.Note("local_port", c.LocalPortDetails.Port)
	w.Note("protocol", c.Protocol)
}

func (w *walk) apiCall(c *apiCall) {
	w.remoteIP(&c.RemoteIPDetails, "", "")
	w.Add(alert.Context, entity.Domain, c.DomainDetails.Domain)
	w.Note("api", c.API)
	w.Note("api_service", c.ServiceName)
	w.Note("caller_type", c.CallerType)
	w.Note("error_code", c.ErrorCode)
	w.Note("user_agent", c.UserAgent)
	w.Note("remote_account", c.RemoteAccountDetails.AccountID)
	for _, kind := range slices.Sorted(maps.Keys(c.AffectedResources)) {
		w.affected(kind, c.AffectedResources[kind])
	}
}

// affected is a resource the call changed, under its CloudFormation type, of which EventBridge lowers the first letter.
func (w *walk) affected(kind string, value ingest.Text) {
	if after, ok := strings.CutPrefix(kind, "aWS::"); ok {
		kind = "AWS::" + after
	}
	if v := string(value); kind == "AWS::S3::Bucket" && !strings.HasPrefix(v, "arn:") && !ingest.Blank(v) {
		value = ingest.Text("arn:" + w.partition + ":s3:::" + v)
	}
	w.Add(alert.Victim, entity.Resource, value, entity.AttrType, kind)
}

func (w *walk) dns(d *dnsRequest) {
	w.Add(w.remote, entity.Domain, cmp.Or(d.Domain, d.DomainWithSuffix))
	w.Note("registered_domain", d.DomainWithSuffix) // may be a provider's, shared by everyone
	w.Note("vpc_owner", d.VpcOwnerAccountID)
}

func (w *walk) kubernetesCall(a *action) {
	c := &a.KubernetesAPICallAction
	w.remoteIP(&c.RemoteIPDetails, "", "")
	for _, ip := range c.SourceIPs {
		w.Add(w.remote, entity.IP, ip)
	}
	w.Note("request_uri", c.RequestURI)
	w.Note("verb", c.Verb)
	w.Note("user_agent", c.UserAgent)
	w.Note("status_code", c.StatusCode)
	w.Note("kubernetes_resource", c.Resource)
	w.Note("kubernetes_resource_name", c.ResourceName)
	w.Note("kubernetes_namespace", c.Namespace)
	p := &a.KubernetesPermissionCheckedDetails
	w.Note("checked_verb", p.Verb)
	w.Note("checked_resource", p.Resource)
	w.Note("checked_namespace", p.Namespace)
	w.Note("checked_allowed", p.Allowed)
	w.Note("role_binding", a.KubernetesRoleBindingDetails.Name)
	w.Note("role_binding_role", a.KubernetesRoleBindingDetails.RoleRefName)
	w.Note("role", a.KubernetesRoleDetails.Name)
}

func (w *walk) login(l *loginAttempt) {
	w.remoteIP(&l.RemoteIPDetails, "", "")
	for _, at := range l.LoginAttributes {
		w.Add(w.asset, entity.User, at.User, entity.AttrUserType, "database")
		w.Note("failed_logins", at.FailedLoginAttempts)
		w.Note("successful_logins", at.SuccessfulLoginAttempts)
	}
}

// remoteIP is the other side's address, in both versions where it states both.
func (w *walk) remoteIP(d *ipDetails, port, protocol string) {
	for _, ip := range []ingest.Text{d.IPAddressV4, d.IPAddressV6} {
		asn := string(d.Organization.Asn)
		if asn == "0" || asn == "-1" {
			asn = ""
		}
		w.Add(w.remote, entity.IP, ip, entity.AttrCountry, string(d.Country.CountryName), entity.AttrCity, string(d.City.CityName),
			entity.AttrASN, asn, entity.AttrOrg, string(d.Organization.Org), entity.AttrPort, port, entity.AttrProtocol, protocol)
	}
}
