package attacks

import "time"

// addBursts are patch days, failed deployments, maintenance windows and detections gone wrong: much of one kind at
// once.
func addBursts(n *disturbance) {
	for n.budget > 0 {
		at := n.drawWorkingTime()
		switch n.d.IntN(4) {
		case 0:
			n.raiseBurst(at, 2*hour, n.machineThings(), newNoiseKind(siem, "ServiceInstalled", "New service installed", low, "Persistence"), newNoiseKind(edr, "DriverLoaded", "Rare driver loaded", low, "Persistence"))
		case 1:
			n.raiseBurst(at, 20*time.Minute, n.podThings(), newNoiseKind(falco, "Terminal shell in container", "Terminal shell in container", low, "Execution"), newNoiseKind(falco, "Read sensitive file untrusted", "Sensitive file opened for reading", medium, "CredentialAccess"))
		case 2: // a new signature was wrong
			storm := pickOne(n.d, []kind{newNoiseKind(edr, "TrojanGeneric", "Trojan:Generic detected", high, "Execution"), newNoiseKind(xdr, "CobaltStrikeBehaviour", "Behaviour of a known attack tool", high, "CommandAndControl")})
			n.raiseBurst(at, 40*time.Minute, n.machineThings(), storm)
		default: // maintenance in the night
			n.raiseBurst(at.Truncate(day).Add(2*hour), 3*hour, n.machineThings(), newNoiseKind(edr, "AgentTamperAttempt", "Agent service restarted", info, "DefenseEvasion"), newNoiseKind(siem, "FailedLogins", "Several failed logins", low, "CredentialAccess"))
		}
	}
}

// raiseBurst raises alerts of some kinds on 10 to 50 things within a while.
func (n *disturbance) raiseBurst(at time.Time, within time.Duration, on []thing, kinds ...kind) {
	if at.Before(n.from) {
		at = n.from
	}
	for _, th := range pickSome(n.d, on, n.d.drawInt(10, 50)) {
		n.raiseNoise(pickOne(n.d, kinds), at.Add(n.d.drawDuration(0, within)), th)
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
	kinds := []kind{newNoiseKind(siem, "LogSourceSilent", "A log source is silent", low, ""), newNoiseKind(defender, "Generic_QuotaAnomaly", "Unusual activity in the subscription", medium, ""), newNoiseKind(ci, "PolicyChanged", "Branch protection changed", low, "")}
	for n.budget > 0 {
		n.raiseNoise(pickOne(n.d, kinds), n.drawAnyTime())
	}
}

// userReports are mails that people report, and small things on their laptops.
func userReports(n *disturbance) {
	for n.budget > 0 {
		p := pickOne(n.d, n.people)
		if n.d.isTrue(0.6) {
			n.raiseNoise(newNoiseKind(mail, "UserReportedPhish", "User reported a message", low, "InitialAccess"), n.drawWorkingTime(), p, urlLink("https://news-"+n.d.drawHex(4)+".example/offer"))
		} else {
			n.raiseNoise(newNoiseKind(edr, "MacroBlocked", "Office macro blocked", low, "Execution"), n.drawWorkingTime(), p.laptop, p)
		}
	}
}

// oneOffs are rare, loud and nothing: the reason why analysts exist.
func oneOffs(n *disturbance) {
	kinds := []kind{
		newKind(edr, "CredentialDump", "LSASS memory read by an unsigned process", high, "CredentialAccess", "T1003.001"),
		newKind(edr, "KeyloggerBehaviour", "Process records the keyboard", medium, "Collection", "T1056.001"),
		newKind(siem, "RareDomainBeacon", "Periodic connections to a rare domain", medium, "CommandAndControl", "T1071.001"),
		newKind(xdr, "SuspiciousScheduledTask", "Suspicious scheduled task", medium, "Persistence", "T1053"),
		newKind(edr, "RemoteToolInstalled", "Remote administration tool installed", medium, "CommandAndControl", "T1219"),
	}
	for n.budget > 0 {
		one, at := pickOne(n.d, kinds), n.drawAnyTime()
		if n.d.isTrue(0.5) {
			p := pickOne(n.d, n.people)
			n.raiseNoise(one, at, asVictim(p.laptop), p)
		} else {
			n.raiseNoise(one, at, asVictim(pickOne(n.d, n.machines)))
		}
	}
}

// nearDuplicates look like one alert told twice and are two: the same on the same host half an hour later, the same
// at the same moment on two hosts.
func nearDuplicates(n *disturbance) {
	kinds := []kind{newNoiseKind(edr, "ScriptBlocked", "Script blocked", medium, "Execution"), newNoiseKind(siem, "AccountLockout", "Account locked out", low, "CredentialAccess")}
	for n.budget > 0 {
		one, at, m := pickOne(n.d, kinds), n.drawAnyTime(), pickOne(n.d, n.machines)
		n.raiseNoise(one, at, m)
		if n.d.isTrue(0.5) {
			n.raiseNoise(one, at.Add(n.d.drawDuration(25*time.Minute, 40*time.Minute)), m)
			continue
		}
		for _, other := range pickSome(n.d, n.machines, 2) {
			if other != m && other.host != m.host {
				n.raiseNoise(one, at, other)
			}
		}
	}
}

// numberClashes are two products that count alike: one number, two alerts about different things.
func numberClashes(n *disturbance) {
	for n.budget > 0 {
		number := "1" + n.d.drawDigits(4)
		n.raiseNoise(newNoiseKind(waf, "RateLimit", "Rate limit exceeded", low, ""), n.drawAnyTime(), ipAddress(pickOne(n.d, n.scanners)))
		n.records[len(n.records)-1].Alert.ProviderID = number
		n.raiseNoise(newNoiseKind(dlp, "LabelRemoved", "Sensitivity label removed", low, ""), n.drawAnyTime(), pickOne(n.d, n.people))
		n.records[len(n.records)-1].Alert.ProviderID = number
	}
}

// aroundVictims adds ordinary noise about things under attack: before, during and after.
func aroundVictims(d dice, t *tenant) {
	n := &disturbance{tenant: t, d: d}
	onPerson := []kind{newNoiseKind(identity, "UnfamiliarSignIn", "Unfamiliar sign-in properties", low, "InitialAccess"), newNoiseKind(dlp, "SensitiveUpload", "Sensitive label uploaded", low, "Exfiltration")}
	for _, c := range t.touched {
		for range d.drawInt(0, 4) {
			at := d.drawTime(c.from.Add(-2*day), c.to.Add(2*day))
			if d.isTrue(0.4) {
				at = d.drawTime(c.from.Add(-hour), c.to.Add(hour))
			}
			switch th := c.thing.(type) {
			case *machine:
				if one := pickOne(d, n.chatter); isWatchedBy(one.voice, th) {
					n.raiseNoise(one, at, th)
				}
			case *person:
				n.raiseNoise(pickOne(d, onPerson), at, th, ipAddress(th.nat))
			}
		}
	}
}
