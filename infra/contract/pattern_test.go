package contract

import (
	"fmt"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
)

// matchEvent reports whether an EventBridge pattern takes an event, for the part of the language that is used here:
// exact values, anything-but, prefix and exists. All other words are errors, so that a pattern is never believed
// untested. The rules: fields of a pattern must all match; a field's list matches when one of its alternatives does; an
// array in the event matches when one of its elements does ("Amazon EventBridge event patterns").
func matchEvent(pattern, event any) (bool, error) {
	switch p := pattern.(type) {
	case map[string]any:
		if list, ok := event.([]any); ok {
			return anyOf(list, func(e any) (bool, error) { return matchEvent(pattern, e) })
		}
		e, _ := event.(map[string]any)
		for name, want := range p {
			ok, err := matchEvent(want, e[name])
			if err != nil || !ok {
				return false, err
			}
		}
		return true, nil
	case []any:
		return anyOf(p, func(alternative any) (bool, error) { return matchValue(alternative, event) })
	}
	return false, fmt.Errorf("%v: a pattern ends in a list", pattern)
}

func matchValue(alternative, event any) (bool, error) {
	if list, ok := event.([]any); ok {
		return anyOf(list, func(e any) (bool, error) { return matchValue(alternative, e) })
	}
	word, ok := alternative.(map[string]any)
	if !ok {
		return event != nil && fmt.Sprint(alternative) == fmt.Sprint(event), nil
	}
	for name, arg := range word {
		switch name {
		case "anything-but":
			if event == nil {
				return false, nil // a missing field matches nothing but exists: false
			}
			not, list := arg.([]any)
			if !list {
				not = []any{arg}
			}
			found, err := anyOf(not, func(n any) (bool, error) { return fmt.Sprint(n) == fmt.Sprint(event), nil })
			return !found, err
		case "prefix":
			text, ok := event.(string)
			return ok && strings.HasPrefix(text, fmt.Sprint(arg)), nil
		case "exists":
			return (event != nil) == arg, nil
		default:
			return false, fmt.Errorf("pattern word %q is unknown here", name)
		}
	}
	return false, nil
}

func anyOf(list []any, match func(any) (bool, error)) (bool, error) {
	for _, x := range list {
		if ok, err := match(x); err != nil || ok {
			return ok, err
		}
	}
	return false, nil
}

func TestMatchEvent(t *testing.T) {
	const event = `{"source":"aws.x","n":7,"detail":{"tags":["a","b"],"items":[{"k":"1","v":"x"},{"k":"2","v":"y"}]}}`
	for pattern, want := range map[string]string{
		`{"source":["aws.x"]}`:                                      "true",
		`{"source":["aws.y","aws.x"]}`:                              "true",
		`{"source":["aws.y"]}`:                                      "false",
		`{"n":[7]}`:                                                 "true",
		`{"source":["aws.x"],"missing":["z"]}`:                      "false",
		`{"detail":{"tags":["b"]}}`:                                 "true",
		`{"detail":{"items":{"k":["1"],"v":["x"]}}}`:                "true",
		`{"detail":{"items":{"k":["1"],"v":["y"]}}}`:                "false",
		`{"source":[{"anything-but":["aws.x"]}]}`:                   "false",
		`{"source":[{"anything-but":"aws.y"}]}`:                     "true",
		`{"missing":[{"anything-but":"aws.y"}]}`:                    "false",
		`{"source":[{"prefix":"aws."}]}`:                            "true",
		`{"missing":[{"exists":false}],"source":[{"exists":true}]}`: "true",
		`{"n":[{"numeric":[">",1]}]}`:                               "error",
		`{"source":"aws.x"}`:                                        "error",
	} {
		got, err := matchText(pattern, event)
		if s := fmt.Sprint(got); err == nil && s != want || err != nil && want != "error" {
			t.Errorf("%s: %v (%v), want %s", pattern, got, err, want)
		}
	}
}

func matchText(pattern, event string) (bool, error) {
	var p, e any
	if err := json.Unmarshal([]byte(pattern), &p); err != nil {
		return false, err
	}
	if err := json.Unmarshal([]byte(event), &e); err != nil {
		return false, err
	}
	return matchEvent(p, e)
}
