package cosmos

import (
	"reflect"
	"time"
)

// clone gives a copy that shares no list or map with v: what is remembered must not change when somebody changes
// what they gave or were given. It goes by the type, so that no field is purged that is added there.
func clone[T any](v T) T {
	detachLists(reflect.ValueOf(&v).Elem())
	return v
}

var instant = reflect.TypeFor[time.Time]()

func detachLists(v reflect.Value) {
	if !v.CanSet() { // not exported: nobody outside can change it either
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		if v.Type() == instant {
			return
		}
		for i := range v.NumField() {
			detachLists(v.Field(i))
		}
	case reflect.Slice:
		if v.IsNil() {
			return
		}
		c := reflect.MakeSlice(v.Type(), v.Len(), v.Len())
		reflect.Copy(c, v)
		for i := range c.Len() {
			detachLists(c.Index(i))
		}
		v.Set(c)
	case reflect.Map:
		if v.IsNil() {
			return
		}
		c := reflect.MakeMapWithSize(v.Type(), v.Len())
		for it := v.MapRange(); it.Next(); {
			c.SetMapIndex(it.Key(), it.Value()) // values are texts and numbers
		}
		v.Set(c)
	}
}
