package api

import (
	"cmp"
	"regexp"
	"strconv"
	"strings"

	"github.com/onepane/onepane/shared/entity"
)

type userEvidence struct {
	alertEvidence
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

func (w *evidenceMapper) mapUser() userEvidence {
	u := userEvidence{UserAccount: w.userAccountOf()}
	u.alertEvidence = w.finishBase("userEvidence")
	return u
}

// userAccountOf reads a user's name in any of its spellings: DOMAIN\name, a UPN, an ARN, a bare name.
func (w *evidenceMapper) userAccountOf() userAccount {
	a := userAccount{
		AzureADUserID: w.showAttr(entity.AttrObjectID), DisplayName: w.showText(w.Name), DomainName: w.showAttr(entity.AttrDomain),
		UserPrincipalName: w.showAttr(entity.AttrUPN), UserSID: w.showAttr(entity.AttrSID), AccountName: Nullable(w.Value),
	}
	switch v := w.Value; {
	case strings.HasPrefix(v, "arn:"):
		a.AccountName = Nullable(lastPart(v))
		a.DisplayName = cmp.Or(a.DisplayName, w.showText(v))
	case strings.Contains(v, `\`):
		domain, name, _ := strings.Cut(v, `\`)
		a.AccountName, a.DomainName = Nullable(name), cmp.Or(a.DomainName, Nullable(domain))
		a.DisplayName = cmp.Or(a.DisplayName, w.showText(v)) // searched for as senders write it
	case strings.HasPrefix(strings.ToUpper(v), "S-1-"):
		a.UserSID = cmp.Or(a.UserSID, w.showText(v))
	case strings.Contains(v, "@"):
		upn := iamMember(v)
		name, _, _ := strings.Cut(upn, "@")
		a.AccountName, a.UserPrincipalName = Nullable(name), cmp.Or(a.UserPrincipalName, w.showText(upn))
	default:
		w.showText(v)
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
	alertEvidence
	DisplayName    Nullable    `json:"displayName"`
	PrimaryAddress Nullable    `json:"primaryAddress"`
	UPN            Nullable    `json:"upn"`
	UserAccount    userAccount `json:"userAccount"`
}

func (w *evidenceMapper) mapMailbox() mailboxEvidence {
	m := mailboxEvidence{UserAccount: w.userAccountOf(), DisplayName: Nullable(w.Name), PrimaryAddress: w.showText(w.Value)}
	m.UPN = cmp.Or(w.showAttr(entity.AttrUPN), m.UserAccount.UserPrincipalName)
	m.alertEvidence = w.finishBase("mailboxEvidence")
	return m
}

type cloudLogonSessionEvidence struct {
	alertEvidence
	Account         *userEvidence `json:"account"`
	SessionID       Nullable      `json:"sessionId"`
	Protocol        Nullable      `json:"protocol"`
	OperatingSystem Nullable      `json:"operatingSystem"`
}

func (w *evidenceMapper) mapSession() cloudLogonSessionEvidence {
	s := cloudLogonSessionEvidence{SessionID: w.showText(w.Value), Protocol: w.showAttr(entity.AttrProtocol), OperatingSystem: w.showAttr(entity.AttrOS)}
	if names := w.showAliases(entity.User); len(names) > 0 {
		u := &evidenceMapper{Evidence: w.Evidence, base: w.base, shown: map[string]bool{}}
		u.Entity = entity.Entity{Kind: entity.User, Value: names[0]}
		ue := u.mapUser()
		s.Account = &ue
	}
	s.alertEvidence = w.finishBase("cloudLogonSessionEvidence")
	return s
}

type cloudApplicationEvidence struct {
	alertEvidence
	AppID        *int64   `json:"appId"`
	DisplayName  Nullable `json:"displayName"`
	InstanceName Nullable `json:"instanceName"`
}

type oauthApplicationEvidence struct {
	alertEvidence
	AppID       Nullable `json:"appId"`
	DisplayName Nullable `json:"displayName"`
	ObjectID    Nullable `json:"objectId"`
	Publisher   Nullable `json:"publisher"`
}

var guid = regexp.MustCompile(`(?i)^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)

// mapApp shows an application of the directory (a GUID) as an OAuth application, any other as a cloud application.
func (w *evidenceMapper) mapApp() any {
	if guid.MatchString(w.Value) {
		a := oauthApplicationEvidence{AppID: w.showText(w.Value), DisplayName: w.showText(w.Name), ObjectID: w.showAttr(entity.AttrObjectID), Publisher: w.showAttr(entity.AttrOrg)}
		a.alertEvidence = w.finishBase("oauthApplicationEvidence")
		return a
	}
	a := cloudApplicationEvidence{DisplayName: w.showText(cmp.Or(w.Name, w.Value))}
	if n, err := strconv.ParseInt(w.Value, 10, 64); err == nil {
		a.AppID = &n
		w.showText(w.Value)
	}
	a.alertEvidence = w.finishBase("cloudApplicationEvidence")
	return a
}
