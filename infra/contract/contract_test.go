package contract

import "testing"

// checks is every promise between code and infrastructure, by what it says.
var checks = map[string]func(*site){
	"settings are those of the code":               checkSettings,
	"no secret is read, made or allowed":           checkNoSecrets,
	"queues are what the driver takes for granted": checkQueues,
	"triggers are those that the handler answers":  checkTriggers,
	"pushes reach their route":                     checkPush,
	"containers are those that the driver opens":   checkStore,
	"azure roles are the allow list":               checkRoles,
	"directory roles are those of the API":         checkAppRoles,
	"gcp bindings are the allow list":              checkGCPRoles,
	"aws statements are the allow list":            checkIAM,
	"aws hops have dead letters":                   checkAWSDeadLetters,
	"gcp hops have dead letters":                   checkGCPDeadLetters,
	"stackset hops have dead letters":              checkStackDeadLetters,
	"patterns take each finding once":              checkPatterns,
	"alarms are set":                               checkAlarms,
	"ceilings are set":                             checkCeilings,
	"modules are shaped alike":                     checkShape,
}

func TestContract(t *testing.T) {
	for name, check := range checks {
		t.Run(name, func(t *testing.T) {
			s, err := loadSite("..")
			if err != nil {
				t.Fatal(err)
			}
			check(s)
			for _, p := range s.problems {
				t.Error(p)
			}
		})
	}
}
