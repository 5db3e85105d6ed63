package incident

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/onepane/onepane/shared/fault"
)

// Set changes one constant by name, as "JoinAt=0.6", "StepFade=45m" or "Weights.ip=0.4". Names compare without case. What is
// no constant, or no value for it, is fault.Invalid.
func (t *Tuning) Set(assignment string) error {
	name, value, ok := strings.Cut(assignment, "=")
	if !ok {
		return fault.Errorf(fault.Invalid, "tuning: %q is not name=value", assignment)
	}
	name, key, _ := strings.Cut(name, ".")
	v := reflect.ValueOf(t).Elem().FieldByNameFunc(func(f string) bool { return strings.EqualFold(f, name) })
	if !v.IsValid() {
		return fault.Errorf(fault.Invalid, "tuning: no constant %q: there are %s", name, strings.Join(tuningNames(), ", "))
	}
	if v.Kind() == reflect.Map {
		f, err := strconv.ParseFloat(value, 64)
		k := reflect.ValueOf(key).Convert(v.Type().Key())
		if err != nil || !v.MapIndex(k).IsValid() {
			return fault.Errorf(fault.Invalid, "tuning: %s has no %q, or %q is not a number", name, key, value)
		}
		v.SetMapIndex(k, reflect.ValueOf(f))
		return nil
	}
	if err := setValue(v, value); err != nil {
		return fault.Errorf(fault.Invalid, "tuning: %s: %w", name, err)
	}
	return nil
}

func setValue(v reflect.Value, text string) error {
	switch v.Interface().(type) {
	case time.Duration:
		d, err := time.ParseDuration(text)
		if err != nil || d < 0 {
			return fmt.Errorf("%q is not a duration such as 30m", text)
		}
		v.SetInt(int64(d))
	case int:
		n, err := strconv.Atoi(text)
		if err != nil || n < 0 {
			return fmt.Errorf("%q is not a count", text)
		}
		v.SetInt(int64(n))
	default:
		f, err := strconv.ParseFloat(text, 64)
		if err != nil || f < 0 {
			return fmt.Errorf("%q is not a number from 0", text)
		}
		v.SetFloat(f)
	}
	return nil
}

func tuningNames() []string {
	t := reflect.TypeFor[Tuning]()
	names := make([]string, t.NumField())
	for i := range names {
		names[i] = t.Field(i).Name
	}
	slices.Sort(names)
	return names
}
