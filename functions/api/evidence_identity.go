package api

import (
	"cmp"
	"regexp"
	"strconv"
	"strings"

	"github.com/onepane/onepane/shared/entity"
)

type userEvidence struct {
	base
	UserAccount userAccount `json:"userAccount"`
}

type userAccount struct {
	AccountName       nullable `json:"accountName"`
	AzureADUserID     nullable `json:"azureAdUserId"`
	DisplayName       nullable `json:"displayName"`
	DomainName        nullable `json:"domainName"`
	UserPrincipalName nullable `json:"userPrincipalName"`
	UserSID           nullable `json:"userSid"`
}

func (w *witness) user() userEvidence {
	u := userEvidence{UserAccount: w.accountOf()}
	u.base = w.as("userEvidence")
	return u
}

// accountOf reads a user's name in any of its spellings: DOMAIN\name, a UPN, an ARN, a bare name.
func (w *witness) accountOf() userAccount {
	a := userAccount{
		AzureADUserID: w.attr(entity.AttrObjectID), DisplayName: w.tell(w.Name), DomainName: w.attr(entity.AttrDomain),
		UserPrincipalName: w.attr(entity.AttrUPN), UserSID: w.attr(entity.AttrSID), AccountName: nullable(w.Value),
	}
	switch v := w.Value; {
	case strings.HasPrefix(v, "arn:"):
		a.AccountName = nullable(lastPart(v))
		a.DisplayName = cmp.Or(a.DisplayName, w.tell(v))
	case strings.Contains(v, `\`):
		domain, name, _ := strings.Cut(v, `\`)
		a.AccountName, a.DomainName = nullable(name), cmp.Or(a.DomainName, nullable(domain))
		a.DisplayName = cmp.Or(a.DisplayName, w.tell(v)) // searched for as senders write it
	case strings.HasPrefix(strings.ToUpper(v), "S-1-"):
		a.UserSID = cmp.Or(a.UserSID, w.tell(v))
	case strings.Contains(v, "@"):
		upn := iamMember(v)
		name, _, _ := strings.Cut(upn, "@")
		a.AccountName, a.UserPrincipalName = nullable(name), cmp.Or(a.UserPrincipalName, w.tell(upn))
	default:
		w.tell(v)
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
	base
	DisplayName    nullable    `json:"displayName"`
	PrimaryAddress nullable    `json:"primaryAddress"`
	UPN            nullable    `json:"upn"`
	UserAccount    userAccount `json:"userAccount"`
}

func (w *witness) mailbox() mailboxEvidence {
	m := mailboxEvidence{UserAccount: w.accountOf(), DisplayName: nullable(w.Name), PrimaryAddress: w.tell(w.Value)}
	m.UPN = cmp.Or(w.attr(entity.AttrUPN), m.UserAccount.UserPrincipalName)
	m.base = w.as("mailboxEvidence")
	return m
}

type logonSession struct {
	base
	Account         *userEvidence `json:"account"`
	SessionID       nullable      `json:"sessionId"`
	Protocol        nullable      `json:"protocol"`
	OperatingSystem nullable      `json:"operatingSystem"`
}

func (w *witness) session() logonSession {
	s := logonSession{SessionID: w.tell(w.Value), Protocol: w.attr(entity.AttrProtocol), OperatingSystem: w.attr(entity.AttrOS)}
	if names := w.aliases(entity.User); len(names) > 0 {
		u := &witness{Evidence: w.Evidence, base: w.base, told: map[string]bool{}}
		u.Entity = entity.Entity{Kind: entity.User, Value: names[0]}
		ue := u.user()
		s.Account = &ue
	}
	s.base = w.as("cloudLogonSessionEvidence")
	return s
}

type cloudApp struct {
	base
	AppID        *int64   `json:"appId"`
	DisplayName  nullable `json:"displayName"`
	InstanceName nullable `json:"instanceName"`
}

type oauthApp struct {
	base
	AppID       nullable `json:"appId"`
	DisplayName nullable `json:"displayName"`
	ObjectID    nullable `json:"objectId"`
	Publisher   nullable `json:"publisher"`
}

var guid = regexp.MustCompile(`(?i)^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)

// app shows an application of the directory (a GUID) as an OAuth application, any other as a cloud application.
func (w *witness) app() any {
	if guid.MatchString(w.Value) {
		a := oauthApp{AppID: w.tell(w.Value), DisplayName: w.tell(w.Name), ObjectID: w.attr(entity.AttrObjectID), Publisher: w.attr(entity.AttrOrg)}
		a.base = w.as("oauthApplicationEvidence")
		return a
	}
	a := cloudApp{DisplayName: w.tell(cmp.Or(w.Name, w.Value))}
	if n, err := strconv.ParseInt(w.Value, 10, 64); err == nil {
		a.AppID = &n
		w.tell(w.Value)
	}
	a.base = w.as("cloudApplicationEvidence")
	return a
}
