package attacks

import "time"

// bursts are patch days, failed deployments, maintenance windows and detections gone wrong: much of one kind at once.
func bursts(n *disturbance) {
	for n.budget > 0 {
		at := n.working()
		switch n.d.IntN(4) {
		case 0:
			n.burst(at, 2*hour, n.machineThings(), bg(siem, "ServiceInstalled", "New service installed", low, "Persistence"), bg(edr, "DriverLoaded", "Rare driver loaded", low, "Persistence"))
		case 1:
			n.burst(at, 20*time.Minute, n.podThings(), bg(falco, "Terminal shell in container", "Terminal shell in container", low, "Execution"), bg(falco, "Read sensitive file untrusted", "Sensitive file opened for reading", medium, "CredentialAccess"))
		case 2: // a new signature was wrong
			storm := pick(n.d, []kind{bg(edr, "TrojanGeneric", "Trojan:Generic detected", high, "Execution"), bg(xdr, "CobaltStrikeBehaviour", "Behaviour of a known attack tool", high, "CommandAndControl")})
			n.burst(at, 40*time.Minute, n.machineThings(), storm)
		default: // maintenance in the night
			n.burst(at.Truncate(day).Add(2*hour), 3*hour, n.machineThings(), bg(edr, "AgentTamperAttempt", "Agent service restarted", info, "DefenseEvasion"), bg(siem, "FailedLogins", "Several failed logins", low, "CredentialAccess"))
		}
	}
}

// burst raises alerts of some kinds on 10 to 50 things within a while.
func (n *disturbance) burst(at time.Time, within time.Duration, on []thing, kinds ...kind) {
	if at.Before(n.from) {
		at = n.from
	}
	for _, th := range sample(n.d, on, n.d.between(10, 50)) {
		n.noise(pick(n.d, kinds), at.Add(n.d.span(0, within)), th)
	}
}

func (n *disturbance) machineThings() (out []thing) {
	for _, m := range n.machines {
		out = append(out, m)
	}
	for _, p := range n.people {
		out = append(out, p.laptop)
	}
	return out
}

func (n *disturbance) podThings() (out []thing) {
	for _, p := range n.pods {
		out = append(out, p)
	}
	return out
}

// withoutEntities say that something happened, to nobody.
func withoutEntities(n *disturbance) {
	kinds := []kind{bg(siem, "LogSourceSilent", "A log source is silent", low, ""), bg(defender, "Generic_QuotaAnomaly", "Unusual activity in the subscription", medium, ""), bg(ci, "PolicyChanged", "Branch protection changed", low, "")}
	for n.budget > 0 {
		n.noise(pick(n.d, kinds), n.anytime())
	}
}

// userReports are mails that people report, and small things on their laptops.
func userReports(n *disturbance) {
	for n.budget > 0 {
		p := pick(n.d, n.people)
		if n.d.chance(0.6) {
			n.noise(bg(mail, "UserReportedPhish", "User reported a message", low, "InitialAccess"), n.working(), p, link("https://news-"+n.d.hex(4)+".example/offer"))
		} else {
			n.noise(bg(edr, "MacroBlocked", "Office macro blocked", low, "Execution"), n.working(), p.laptop, p)
		}
	}
}

// oneOffs are rare, loud and nothing: the reason why analysts exist.
func oneOffs(n *disturbance) {
	kinds := []kind{
		k(edr, "CredentialDump", "LSASS memory read by an unsigned process", high, "CredentialAccess", "T1003.001"),
		k(edr, "KeyloggerBehaviour", "Process records the keyboard", medium, "Collection", "T1056.001"),
		k(siem, "RareDomainBeacon", "Periodic connections to a rare domain", medium, "CommandAndControl", "T1071.001"),
		k(xdr, "SuspiciousScheduledTask", "Suspicious scheduled task", medium, "Persistence", "T1053"),
		k(edr, "RemoteToolInstalled", "Remote administration tool installed", medium, "CommandAndControl", "T1219"),
	}
	for n.budget > 0 {
		one, at := pick(n.d, kinds), n.anytime()
		if n.d.chance(0.5) {
			p := pick(n.d, n.people)
			n.noise(one, at, victim(p.laptop), p)
		} else {
			n.noise(one, at, victim(pick(n.d, n.machines)))
		}
	}
}

// nearDuplicates look like one alert told twice and are two: the same on the same host half an hour later, the same
// at the same moment on two hosts.
func nearDuplicates(n *disturbance) {
	kinds := []kind{bg(edr, "ScriptBlocked", "Script blocked", medium, "Execution"), bg(siem, "AccountLockout", "Account locked out", low, "CredentialAccess")}
	for n.budget > 0 {
		one, at, m := pick(n.d, kinds), n.anytime(), pick(n.d, n.machines)
		n.noise(one, at, m)
		if n.d.chance(0.5) {
			n.noise(one, at.Add(n.d.span(25*time.Minute, 40*time.Minute)), m)
			continue
		}
		for _, other := range sample(n.d, n.machines, 2) {
			if other != m && other.host != m.host {
				n.noise(one, at, other)
			}
		}
	}
}

// numberClashes are two products that count alike: one number, two alerts about different things.
func numberClashes(n *disturbance) {
	for n.budget > 0 {
		number := "1" + n.d.digits(4)
		n.noise(bg(waf, "RateLimit", "Rate limit exceeded", low, ""), n.anytime(), ip(pick(n.d, n.scanners)))
		n.records[len(n.records)-1].Alert.ProviderID = number
		n.noise(bg(dlp, "LabelRemoved", "Sensitivity label removed", low, ""), n.anytime(), pick(n.d, n.people))
		n.records[len(n.records)-1].Alert.ProviderID = number
	}
}

// aroundVictims adds ordinary noise about things under attack: before, during and after.
func aroundVictims(d dice, t *tenant) {
	n := &disturbance{tenant: t, d: d}
	onPerson := []kind{bg(identity, "UnfamiliarSignIn", "Unfamiliar sign-in properties", low, "InitialAccess"), bg(dlp, "SensitiveUpload", "Sensitive label uploaded", low, "Exfiltration")}
	for _, c := range t.touched {
		for range d.between(0, 4) {
			at := d.moment(c.from.Add(-2*day), c.to.Add(2*day))
			if d.chance(0.4) {
				at = d.moment(c.from.Add(-hour), c.to.Add(hour))
			}
			switch th := c.thing.(type) {
			case *machine:
				if one := pick(d, n.chatter); watches(one.voice, th) {
					n.noise(one, at, th)
				}
			case *person:
				n.noise(pick(d, onPerson), at, th, ip(th.nat))
			}
		}
	}
}
