package contract

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// checkAWSDeadLetters: every hop has somewhere to put what it cannot hand on, and the permission to.
func checkAWSDeadLetters(s *site) {
	m := s.modules[AWS]
	targets := m.resourcesOf("aws_cloudwatch_event_target")
	if len(targets) == 0 {
		s.addProblem("aws: no rule has a target")
	}
	for _, t := range targets {
		s.expectAttributes(AWS, t, map[string]any{"retry_policy.maximum_event_age_in_seconds": int64(86400), "retry_policy.maximum_retry_attempts": int64(185)})
		s.mayPut(t, t.attribute("dead_letter_config", "arn"))
		if strings.Contains(textOf(t.attribute("arn")), "aws_sqs_queue") {
			s.mayPut(t, t.attribute("arn"))
		} else if t.attribute("role_arn") == nil {
			s.addProblem("aws: %s: a bus takes events only from a role", t)
		}
	}
	findings := s.findResource(AWS, "aws_sqs_queue", "findings")
	if findings.attribute("redrive_policy", "deadLetterTargetArn") != ref("aws_sqs_queue.dead.arn") {
		s.addProblem("aws: %s: failed findings go nowhere", findings)
	}
	if allow := s.findResource(AWS, "aws_sqs_queue_redrive_allow_policy", "dead"); !slices.Equal(textsOf(allow.attribute("redrive_allow_policy", "sourceQueueArns")), []string{"aws_sqs_queue.findings.arn"}) {
		s.addProblem("aws: %s lets others put messages aside", allow)
	}
	for _, q := range m.resourcesOf("aws_sqs_queue") {
		s.expectAttributes(AWS, q, map[string]any{"message_retention_seconds": int64(1209600), "sqs_managed_sse_enabled": true})
	}
	// AWS: a queue hides a batch for at least six times the function's timeout.
	if v, _ := findings.attribute("visibility_timeout_seconds").(ref); !strings.HasPrefix(string(v), "local.timeout * 6") {
		s.addProblem("aws: %s: visibility timeout %v", findings, v)
	}
	mapping := s.findResource(AWS, "aws_lambda_event_source_mapping", "findings")
	if !slices.Equal(textsOf(mapping.attribute("function_response_types")), []string{"ReportBatchItemFailures"}) {
		s.addProblem("aws: %s: a failed finding takes its whole batch with it", mapping)
	}
	s.expectAttributes(AWS, mapping, map[string]any{"event_source_arn": ref("aws_sqs_queue.findings.arn"), "function_name": ref("aws_lambda_function.ingest.arn")})
}

var queueName = regexp.MustCompile(`aws_sqs_queue\.(\w+)`)

// mayPut: the queue at arn exists, and its policy lets the target's rule send to it.
func (s *site) mayPut(t *resource, arn any) {
	found := queueName.FindStringSubmatch(textOf(arn))
	if found == nil {
		s.addProblem("aws: %s: dead letters go to %v", t, arn)
		return
	}
	s.findResource(AWS, "aws_sqs_queue", found[1])
	policy := s.findResource(AWS, "aws_sqs_queue_policy", found[1])
	rule := "aws_cloudwatch_event_rule." + t.name
	for _, st := range statementsOf(policy.String(), policy.attribute("policy")) {
		if slices.Contains(st.principal, "Service:events.amazonaws.com") && slices.Contains(st.action, "sqs:SendMessage") && strings.Contains(st.condition, rule) {
			return
		}
	}
	s.addProblem("aws: %s: %s may not send to queue %s", t, rule, found[1])
}

// checkGCPDeadLetters: pushes that fail go to a topic that someone keeps.
func checkGCPDeadLetters(s *site) {
	push := s.findResource(GCP, "google_pubsub_subscription", "push")
	s.expectAttributes(GCP, push, map[string]any{"dead_letter_policy.dead_letter_topic": ref("google_pubsub_topic.dead.id"), "expiration_policy.ttl": ""})
	if n, _ := push.attribute("dead_letter_policy", "max_delivery_attempts").(int64); n < 5 || n > 100 {
		s.addProblem("gcp: %s: %d deliveries; Pub/Sub takes 5 to 100", push, n)
	}
	s.expectAttributes(GCP, s.findResource(GCP, "google_pubsub_subscription", "dead"), map[string]any{"topic": ref("google_pubsub_topic.dead.id"), "expiration_policy.ttl": ""})
	for _, r := range append(s.modules[GCP].resourcesOf("google_pubsub_subscription"), s.modules[GCP].resourcesOf("google_pubsub_topic")...) {
		s.expectAttributes(GCP, r, map[string]any{"message_retention_duration": ref("local.retention")})
	}
}

// checkStackDeadLetters: the same for member accounts.
func checkStackDeadLetters(s *site) {
	resources := s.loadStackSet()
	send := ""
	for _, st := range statementsOf("", valueAt(resources["DeadQueuePolicy"], "Properties", "PolicyDocument")) {
		send = st.condition
	}
	rules := 0
	for name, r := range resources {
		if valueAt(r, "Type") != "AWS::Events::Rule" {
			continue
		}
		rules++
		target := valueAt(r, "Properties", "Targets")
		if valueAt(target, "DeadLetterConfig", "Arn") != "DeadQueue.Arn" || valueAt(target, "RoleArn") != "ForwardRole.Arn" || valueAt(target, "Arn") != "HubBusArn" || valueAt(target, "RetryPolicy", "MaximumRetryAttempts") != int64(185) {
			s.addProblem("stackset: %s: target %v", name, target)
		}
		if !strings.Contains(send, name+".Arn") {
			s.addProblem("stackset: %s may not send to the dead-letter queue", name)
		}
	}
	if rules == 0 {
		s.addProblem("stackset: no rules")
	}
}

// loadStackSet reads the resources of the template; references become the text they refer to.
func (s *site) loadStackSet() map[string]any {
	b, err := os.ReadFile(filepath.Join(s.root, "aws", "stackset", "member.yaml"))
	var doc yaml.Node
	if err == nil {
		err = yaml.Unmarshal(b, &doc)
	}
	if err != nil {
		s.addProblem("stackset: %v", err)
		return nil
	}
	out, _ := valueAt(s.yamlValue(&doc), "Resources").(map[string]any)
	return out
}

// yamlValue makes a plain value of a node. CloudFormation's short functions are tags: their argument is kept as it is.
func (s *site) yamlValue(n *yaml.Node) any {
	switch n.Kind {
	case yaml.DocumentNode:
		return s.yamlValue(n.Content[0])
	case yaml.MappingNode:
		out := map[string]any{}
		for i := 0; i < len(n.Content); i += 2 {
			out[n.Content[i].Value] = s.yamlValue(n.Content[i+1])
		}
		return out
	case yaml.SequenceNode:
		out := []any{}
		for _, c := range n.Content {
			out = append(out, s.yamlValue(c))
		}
		return out
	case yaml.AliasNode:
		s.addProblem("stackset: line %d: CloudFormation reads no YAML aliases", n.Line)
		return s.yamlValue(n.Alias)
	}
	var number int64
	if n.Tag == "!!int" && n.Decode(&number) == nil {
		return number
	}
	return n.Value
}
