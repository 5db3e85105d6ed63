package contract

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// statement is one IAM statement, of Terraform or of CloudFormation.
type statement struct {
	where                        string
	sid, effect                  string
	principal, action, resources []string
	condition                    string
}

// statementsOf reads a policy document's statements.
func statementsOf(where string, policy any) []statement {
	list, _ := valueAt(policy, "Statement").([]any)
	var out []statement
	for _, x := range list {
		st := statement{where: where, action: textsOf(valueAt(x, "Action")), resources: textsOf(valueAt(x, "Resource"))}
		st.sid, _ = valueAt(x, "Sid").(string)
		st.effect, _ = valueAt(x, "Effect").(string)
		if p, ok := valueAt(x, "Principal").(map[string]any); ok {
			for kind, who := range p {
				for _, w := range textsOf(who) {
					st.principal = append(st.principal, kind+":"+w)
				}
			}
		}
		if c := valueAt(x, "Condition"); c != nil {
			st.condition = fmt.Sprint(c) // maps print sorted
		}
		out = append(out, st)
	}
	return out
}

// iamAllowed is every action granted on AWS, by where the statement stands and its Sid.
var iamAllowed = map[string][]string{
	"aws_iam_role.ingest assume_role_policy":             {"sts:AssumeRole"},
	"aws_iam_role.forward assume_role_policy":            {"sts:AssumeRole"},
	"aws_iam_role_policy.ingest Log":                     {"logs:CreateLogStream", "logs:PutLogEvents"},
	"aws_iam_role_policy.ingest TakeFindings":            {"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"},
	"aws_iam_role_policy.ingest ProveIdentity":           {"sts:GetWebIdentityToken"},
	"aws_iam_role_policy.forward Forward":                {"events:PutEvents"},
	"aws_cloudwatch_event_bus_policy.hub MembersForward": {"events:PutEvents"},
	"aws_sqs_queue_policy.findings RulesDeliver":         {"sqs:SendMessage"},
	"aws_sqs_queue_policy.dead RulesSetAside":            {"sqs:SendMessage"},
	"aws_sqs_queue_policy.forward_dead RulesSetAside":    {"sqs:SendMessage"},
	"stackset ForwardRole assume_role_policy":            {"sts:AssumeRole"},
	"stackset ForwardRole Forward":                       {"events:PutEvents"},
	"stackset DeadQueuePolicy RulesSetAside":             {"sqs:SendMessage"},
}

// checkIAM: the statements are those of the allow list; nothing is granted on everything, or to everyone, without
// conditions that narrow it.
func checkIAM(s *site) {
	made := map[string][]string{}
	for _, st := range append(s.awsStatements(), s.stackStatements()...) {
		where := strings.TrimSpace(st.where + " " + st.sid)
		made[where] = st.action
		if want, ok := iamAllowed[where]; !ok || !slices.Equal(st.action, want) || st.effect != "Allow" {
			s.addProblem("aws: %s: %s %v, the allow list says %v", where, st.effect, st.action, want)
		}
		s.checkBreadth(where, st)
	}
	for where := range iamAllowed {
		if _, ok := made[where]; !ok {
			s.addProblem("aws: missing statement: %s", where)
		}
	}
	for _, a := range s.modules[AWS].resourcesOf("aws_iam_role_policy_attachment") {
		if arn := a.attribute("policy_arn"); arn != "arn:aws:iam::aws:policy/service-role/AWSLambdaVPCAccessExecutionRole" || a.attribute("count") != ref("var.vpc == null ? 0 : 1") {
			s.addProblem("aws: %s attaches %v", a, arn)
		}
	}
	for _, r := range s.modules[AWS].resources {
		if slices.Contains([]string{"aws_iam_user", "aws_iam_policy", "aws_iam_policy_attachment", "aws_lambda_permission"}, r.kind) {
			s.addProblem("aws: %s grants something beside the roles", r)
		}
	}
}

func (s *site) checkBreadth(where string, st statement) {
	for _, a := range st.action {
		if strings.Contains(a, "*") {
			s.addProblem("aws: %s: action %s is a wildcard", where, a)
		}
	}
	for _, r := range st.resources {
		if r != "*" {
			continue
		}
		for _, need := range []string{"sts:IdentityTokenAudience:[api://AzureADTokenExchange]", "sts:SigningAlgorithm:RS256", "NumericLessThanEquals:map[sts:DurationSeconds:300]"} {
			if !strings.Contains(st.condition, need) {
				s.addProblem("aws: %s: resource * without the condition %s", where, need)
			}
		}
	}
	for _, p := range st.principal {
		need := map[string]string{
			"AWS:*": "aws:PrincipalOrgID:var.organization_id", "Service:events.amazonaws.com": "aws:Source", "Service:lambda.amazonaws.com": "aws:SourceAccount",
		}[p]
		if need == "" || !strings.Contains(st.condition, need) {
			s.addProblem("aws: %s: principal %s without the condition %s", where, p, need)
		}
	}
}

// awsStatements reads every policy of the Terraform module.
func (s *site) awsStatements() []statement {
	var out []statement
	for _, r := range s.modules[AWS].resources {
		for _, attr := range []string{"policy", "assume_role_policy"} {
			policy := r.attribute(attr)
			if policy == nil {
				continue
			}
			where := r.String()
			if attr != "policy" {
				where += " " + attr
			}
			found := statementsOf(where, policy)
			if len(found) == 0 {
				s.addProblem("aws: %s: %s cannot be read here", r, attr)
			}
			out = append(out, found...)
		}
	}
	return out
}

// stackStatements reads every policy of the StackSet template.
func (s *site) stackStatements() []statement {
	var out []statement
	resources := s.loadStackSet()
	for _, name := range slices.Sorted(maps.Keys(resources)) {
		properties := valueAt(resources[name], "Properties")
		if p := valueAt(properties, "AssumeRolePolicyDocument"); p != nil {
			out = append(out, statementsOf("stackset "+name+" assume_role_policy", p)...)
		}
		if p := valueAt(properties, "PolicyDocument"); p != nil {
			out = append(out, statementsOf("stackset "+name, p)...)
		}
		policies, _ := valueAt(properties, "Policies").([]any)
		for _, p := range policies {
			out = append(out, statementsOf("stackset "+name, valueAt(p, "PolicyDocument"))...)
		}
	}
	return out
}
