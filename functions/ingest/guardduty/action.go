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

// addAction walks what was done, and from where.
func (w *walker) addAction(a *action) {
	w.addConnection(&a.NetworkConnectionAction)
	for i := range a.PortProbeAction.PortProbeDetails {
		w.addConnection(&a.PortProbeAction.PortProbeDetails[i])
	}
	w.addAPICall(&a.AwsApiCallAction)
	w.addDNSRequest(&a.DNSRequestAction)
	w.addKubernetesCall(a)
	w.addLoginAttempt(&a.RdsLoginAttemptAction)
}

func (w *walker) addConnection(c *connection) {
	w.addRemoteIP(&c.RemoteIPDetails, string(c.RemotePortDetails.Port), string(c.Protocol))
	w.AddFact("direction", c.ConnectionDirection)
	w.AddFact("local_port", c.LocalPortDetails.Port)
	w.AddFact("protocol", c.Protocol)
}

func (w *walker) addAPICall(c *apiCall) {
	w.addRemoteIP(&c.RemoteIPDetails, "", "")
	w.AddEntity(alert.Context, entity.Domain, c.DomainDetails.Domain)
	w.AddFact("api", c.API)
	w.AddFact("api_service", c.ServiceName)
	w.AddFact("caller_type", c.CallerType)
	w.AddFact("error_code", c.ErrorCode)
	w.AddFact("user_agent", c.UserAgent)
	w.AddFact("remote_account", c.RemoteAccountDetails.AccountID)
	for _, kind := range slices.Sorted(maps.Keys(c.AffectedResources)) {
		w.addAffectedResource(kind, c.AffectedResources[kind])
	}
}

// addAffectedResource is a resource the call changed, under its CloudFormation type, of which EventBridge lowers the first letter.
func (w *walker) addAffectedResource(kind string, value ingest.Text) {
	if after, ok := strings.CutPrefix(kind, "aWS::"); ok {
		kind = "AWS::" + after
	}
	if v := string(value); kind == "AWS::S3::Bucket" && !strings.HasPrefix(v, "arn:") && !ingest.IsBlank(v) {
		value = ingest.Text("arn:" + w.partition + ":s3:::" + v)
	}
	w.AddEntity(alert.Victim, entity.Resource, value, entity.AttrType, kind)
}

func (w *walker) addDNSRequest(d *dnsRequest) {
	w.AddEntity(w.remote, entity.Domain, cmp.Or(d.Domain, d.DomainWithSuffix))
	w.AddFact("registered_domain", d.DomainWithSuffix) // may be a provider's, shared by everyone
	w.AddFact("vpc_owner", d.VpcOwnerAccountID)
}

func (w *walker) addKubernetesCall(a *action) {
	c := &a.KubernetesAPICallAction
	w.addRemoteIP(&c.RemoteIPDetails, "", "")
	for _, ip := range c.SourceIPs {
		w.AddEntity(w.remote, entity.IP, ip)
	}
	w.AddFact("request_uri", c.RequestURI)
	w.AddFact("verb", c.Verb)
	w.AddFact("user_agent", c.UserAgent)
	w.AddFact("status_code", c.StatusCode)
	w.AddFact("kubernetes_resource", c.Resource)
	w.AddFact("kubernetes_resource_name", c.ResourceName)
	w.AddFact("kubernetes_namespace", c.Namespace)
	p := &a.KubernetesPermissionCheckedDetails
	w.AddFact("checked_verb", p.Verb)
	w.AddFact("checked_resource", p.Resource)
	w.AddFact("checked_namespace", p.Namespace)
	w.AddFact("checked_allowed", p.Allowed)
	w.AddFact("role_binding", a.KubernetesRoleBindingDetails.Name)
	w.AddFact("role_binding_role", a.KubernetesRoleBindingDetails.RoleRefName)
	w.AddFact("role", a.KubernetesRoleDetails.Name)
}

func (w *walker) addLoginAttempt(l *loginAttempt) {
	w.addRemoteIP(&l.RemoteIPDetails, "", "")
	for _, at := range l.LoginAttributes {
		w.AddEntity(w.asset, entity.User, at.User, entity.AttrUserType, "database")
		w.AddFact("failed_logins", at.FailedLoginAttempts)
		w.AddFact("successful_logins", at.SuccessfulLoginAttempts)
	}
}

// addRemoteIP is the other side's address, in both versions where it states both.
func (w *walker) addRemoteIP(d *ipDetails, port, protocol string) {
	for _, ip := range []ingest.Text{d.IPAddressV4, d.IPAddressV6} {
		asn := string(d.Organization.Asn)
		if asn == "0" || asn == "-1" {
			asn = ""
		}
		w.AddEntity(w.remote, entity.IP, ip, entity.AttrCountry, string(d.Country.CountryName), entity.AttrCity, string(d.City.CityName),
			entity.AttrASN, asn, entity.AttrOrg, string(d.Organization.Org), entity.AttrPort, port, entity.AttrProtocol, protocol)
	}
}
