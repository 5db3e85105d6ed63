package attacks

import (
	"fmt"
	"time"
)

// attack is one attack under way: who, against whom, and where its clock stands.
type attack struct {
	*tenant
	d       dice
	label   string
	actor   *actor
	at      time.Time
	pace    float64 // 1 is usual
	preset  *person // the victim, when the plan has chosen one
	touches map[thing]*touch
	order   []thing
}

// actor is an attacker with an infrastructure that stays the same from victim to victim.
type actor struct {
	ips, hashes, domains []string
	tool                 string
}

func newActor(d dice) *actor {
	a := &actor{tool: pickOne(d, []string{"svchosts.exe", "updater.exe", "rclone.exe", "ssh-agentd", "kworkerd", "winupd64.exe"})}
	for range 4 {
		a.ips, a.hashes = append(a.ips, d.drawPublicIP()), append(a.hashes, d.drawHex(64))
		a.domains = append(a.domains, fmt.Sprintf("%s-%s.%s", pickOne(d, []string{"cdn", "login", "sync", "update", "assets", "api"}), d.drawHex(5), pickOne(d, []string{"top", "xyz", "click", "live"})))
	}
	return a
}

func (a *attack) actorIP(n int) thing     { return asAttacker(ipAddress(a.actor.ips[n])) }
func (a *attack) actorHash(n int) thing   { return fileHash(a.actor.hashes[n]) }
func (a *attack) actorDomain(n int) thing { return domainName(a.actor.domains[n]) }
func (a *attack) actorTool() thing        { return processName(a.actor.tool) }

// passTime lets time pass.
func (a *attack) passTime(lo, hi time.Duration) {
	a.at = a.at.Add(time.Duration(float64(a.d.drawDuration(lo, hi)) * a.pace)).Truncate(time.Second)
}

// raiseAlert raises one alert about things, now; a little time passes.
func (a *attack) raiseAlert(stage string, k kind, things ...thing) {
	a.emitAlert(a.d, k, a.at, Label{Incident: a.label, Stage: stage}, things...)
	for _, th := range things {
		a.noteAttacked(th)
	}
	a.passTime(10*time.Second, 4*time.Minute)
}

// raiseAlerts raises lo to hi such alerts.
func (a *attack) raiseAlerts(lo, hi int, gap time.Duration, stage string, k kind, things ...thing) {
	for range a.d.drawInt(lo, hi) {
		a.raiseAlert(stage, k, things...)
		a.passTime(gap/2, gap)
	}
}

// noteAttacked notes that a thing is under attack now.
func (a *attack) noteAttacked(th thing) {
	th = withoutRole(th)
	switch th.(type) {
	case *person, *machine, *store, *pod, *service:
	default:
		return
	}
	if a.touches[th] == nil {
		a.touches[th] = &touch{thing: th, label: a.label, from: a.at}
		a.order = append(a.order, th)
	}
	a.touches[th].to = a.at
}

// victimPerson is the victim that the plan chose, else somebody new.
func (a *attack) victimPerson() *person {
	if p := a.preset; p != nil {
		a.preset = nil
		return p
	}
	return claimFresh(a.d, a.tenant, a.people, nil)
}

// victimServer is a machine in one of the clouds, with one of the roles when any are given.
func (a *attack) victimServer(cloud string, public bool) *machine {
	return claimFresh(a.d, a.tenant, a.machines, func(m *machine) bool {
		return (cloud == "" || m.cloud == cloud) && (!public || m.public != "")
	})
}

func (a *attack) victimStore(cloud, kind string) *store {
	return claimFresh(a.d, a.tenant, a.stores, func(s *store) bool { return s.cloud == cloud && s.kind == kind })
}

func (a *attack) victimPod(cloud string) *pod {
	return claimFresh(a.d, a.tenant, a.pods, func(p *pod) bool { return p.cluster.cloud == cloud })
}

// instanceRole is the session of the role that an EC2 instance wears.
func (a *attack) instanceRole(m *machine) *service {
	return &service{"user", fmt.Sprintf("arn:aws:sts::%s:assumed-role/%s-role/%s", a.aws[0], m.host, m.instance)}
}

func (a *attack) iamUser(name string) *service {
	return &service{"user", fmt.Sprintf("arn:aws:iam::%s:user/%s-%s", a.aws[0], name, a.d.drawHex(3))}
}

func (a *attack) serviceAccount(name string) *service {
	return &service{"user", fmt.Sprintf("%s-%s@%s.iam.gserviceaccount.com", name, a.d.drawHex(3), a.gcp[0])}
}
