package graph

import (
	"cmp"
	"regexp"
	"strconv"
	"strings"

	"github.com/onepane/onepane/shared/entity"
)

type userEvidence struct {
	AlertEvidence
	UserAccount userAccount `json:"userAccount"`
}

type userAccount struct {
	AccountName       Nullable `json:"accountName"`
	AzureADUserID     Nullable `json:"azureAdUserId"`
	DisplayName       Nullable `json:"displayName"`
	DomainName        Nullable `json:"domainName"`
	UserPrincipalName Nullable `json:"userPrincipalName"`
	UserSID           Nullable `json:"userSid"`
}

func mapUser(ev *evidenceMapper) userEvidence {
	u := userEvidence{UserAccount: userAccountOf(ev)}
	u.AlertEvidence = ev.finishBase("userEvidence")
	return u
}

// userAccountOf reads a user's name in any of its spellings: DOMAIN\name, a UPN, an ARN, a bare name.
func userAccountOf(ev *evidenceMapper) userAccount {
	a := userAccount{
		AzureADUserID: ev.showAttr(entity.AttrObjectID), DisplayName: ev.showText(ev.Name), DomainName: ev.showAttr(entity.AttrDomain),
		UserPrincipalName: ev.showAttr(entity.AttrUPN), UserSID: ev.showAttr(entity.AttrSID), AccountName: Nullable(ev.Value),
	}
	switch v := ev.Value; {
	case strings.HasPrefix(v, "arn:"):
		a.AccountName = Nullable(lastPart(v))
		a.DisplayName = cmp.Or(a.DisplayName, ev.showText(v))
	case strings.Contains(v, `\`):
		domain, name, _ := strings.Cut(v, `\`)
		a.AccountName, a.DomainName = Nullable(name), cmp.Or(a.DomainName, Nullable(domain))
		a.DisplayName = cmp.Or(a.DisplayName, ev.showText(v)) // searched for as senders write it
	case strings.HasPrefix(strings.ToUpper(v), "S-1-"):
		a.UserSID = cmp.Or(a.UserSID, ev.showText(v))
	case strings.Contains(v, "@"):
		upn := iamMember(v)
		name, _, _ := strings.Cut(upn, "@")
		a.AccountName, a.UserPrincipalName = Nullable(name), cmp.Or(a.UserPrincipalName, ev.showText(upn))
	default:
		ev.showText(v)
	}
	return a
}

// iamMember is a Google Cloud IAM member ("serviceAccount:ci@…") without the word that says what it is.
func iamMember(v string) string {
	if kind, rest, ok := strings.Cut(v, ":"); ok && !strings.Contains(kind, "@") {
		return rest
	}
	return v
}

type mailboxEvidence struct {
	AlertEvidence
	DisplayName    Nullable    `json:"displayName"`
	PrimaryAddress Nullable    `json:"primaryAddress"`
	UPN            Nullable    `json:"upn"`
	UserAccount    userAccount `json:"userAccount"`
}

func mapMailbox(ev *evidenceMapper) mailboxEvidence {
	m := mailboxEvidence{UserAccount: userAccountOf(ev), DisplayName: Nullable(ev.Name), PrimaryAddress: ev.showText(ev.Value)}
	m.UPN = cmp.Or(ev.showAttr(entity.AttrUPN), m.UserAccount.UserPrincipalName)
	m.AlertEvidence = ev.finishBase("mailboxEvidence")
	return m
}

type cloudLogonSessionEvidence struct {
	AlertEvidence
	Account         *userEvidence `json:"account"`
	SessionID       Nullable      `json:"sessionId"`
	Protocol        Nullable      `json:"protocol"`
	OperatingSystem Nullable      `json:"operatingSystem"`
}

func mapSession(ev *evidenceMapper) cloudLogonSessionEvidence {
	s := cloudLogonSessionEvidence{SessionID: ev.showText(ev.Value), Protocol: ev.showAttr(entity.AttrProtocol), OperatingSystem: ev.showAttr(entity.AttrOS)}
	if names := ev.showAliases(entity.User); len(names) > 0 {
		u := &evidenceMapper{Evidence: ev.Evidence, base: ev.base, shown: map[string]bool{}}
		u.Entity = entity.Entity{Kind: entity.User, Value: names[0]}
		ue := mapUser(u)
		s.Account = &ue
	}
	s.AlertEvidence = ev.finishBase("cloudLogonSessionEvidence")
	return s
}

type cloudApplicationEvidence struct {
	AlertEvidence
	AppID        *int64   `json:"appId"`
	DisplayName  Nullable `json:"displayName"`
	InstanceName Nullable `json:"instanceName"`
}

type oauthApplicationEvidence struct {
	AlertEvidence
	AppID       Nullable `json:"appId"`
	DisplayName Nullable `json:"displayName"`
	ObjectID    Nullable `json:"objectId"`
	Publisher   Nullable `json:"publisher"`
}

var guid = regexp.MustCompile(`(?i)^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)

// mapApp shows an application of the directory (a GUID) as an OAuth application, any other as a cloud application.
func mapApp(ev *evidenceMapper) any {
	if guid.MatchString(ev.Value) {
		a := oauthApplicationEvidence{AppID: ev.showText(ev.Value), DisplayName: ev.showText(ev.Name), ObjectID: ev.showAttr(entity.AttrObjectID), Publisher: ev.showAttr(entity.AttrOrg)}
		a.AlertEvidence = ev.finishBase("oauthApplicationEvidence")
		return a
	}
	a := cloudApplicationEvidence{DisplayName: ev.showText(cmp.Or(ev.Name, ev.Value))}
	if n, err := strconv.ParseInt(ev.Value, 10, 64); err == nil {
		a.AppID = &n
		ev.showText(ev.Value)
	}
	a.AlertEvidence = ev.finishBase("cloudApplicationEvidence")
	return a
}
