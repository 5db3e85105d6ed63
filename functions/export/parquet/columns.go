package parquet

import (
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/parquet-go/parquet-go"

	"github.com/onepane/onepane/functions/export/ocsf"
	"github.com/onepane/onepane/shared/fault"
)

// columns are those of one class: the fields of ocsf.Event under their names in JSON. What JSON may leave out is
// optional; a list is never null, but may be empty.
type columns struct {
	schema *parquet.Schema
	root   *node
	leaves [][]parquet.Value // the values of the row at hand, by column
}

// node is one field: a value, or a struct with fields of its own, or a list of either.
type node struct {
	name           string
	field          int // in the struct around it
	optional, list bool
	column         int // of a value
	fields         []*node
}

func columnsOf(class int) (*columns, error) {
	if class != ocsf.Detection && class != ocsf.Incident {
		return nil, fault.Errorf(fault.Invalid, "no columns for class %d", class)
	}
	root := &node{}
	group, err := root.buildStruct(reflect.TypeFor[ocsf.Event](), class)
	if err != nil {
		return nil, err
	}
	c := &columns{root: root, schema: parquet.NewSchema("ocsf_"+strconv.Itoa(class), group)}
	c.leaves = make([][]parquet.Value, root.numberColumns(0))
	return c, nil
}

// buildStruct makes n the node of a struct. Parquet's groups have their fields in the order of names.
func (n *node) buildStruct(t reflect.Type, class int) (parquet.Node, error) {
	group := parquet.Group{}
	for i := range t.NumField() {
		f := t.Field(i)
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		if c := f.Tag.Get("class"); c != "" && c != strconv.Itoa(class) {
			continue
		}
		child := &node{name: name, field: i}
		column, err := child.buildType(f.Type, class)
		if err != nil {
			return nil, err
		}
		if child.optional = strings.Contains(options, "omitzero") || f.Type.Kind() == reflect.Map; child.optional {
			column = parquet.Optional(column)
		}
		group[name] = column
		n.fields = append(n.fields, child)
	}
	slices.SortFunc(n.fields, func(a, b *node) int { return strings.Compare(a.name, b.name) })
	return group, nil
}

// buildType makes n the node of a type.
func (n *node) buildType(t reflect.Type, class int) (parquet.Node, error) {
	switch t.Kind() {
	case reflect.Pointer:
		return n.buildType(t.Elem(), class)
	case reflect.Slice:
		n.list = true
		element, err := n.buildType(t.Elem(), class)
		return parquet.List(element), err
	case reflect.Struct:
		return n.buildStruct(t, class)
	case reflect.String, reflect.Map: // a map as JSON: its keys are no columns that every file would have
		return parquet.String(), nil
	case reflect.Int:
		return parquet.Int(32), nil
	case reflect.Int64:
		return parquet.Int(64), nil
	case reflect.Bool:
		return parquet.Leaf(parquet.BooleanType), nil
	}
	return nil, fault.Errorf(fault.Invalid, "no column for %s of type %s", n.name, t)
}

// numberColumns gives each value its column, the first of them next, and returns the one after the last.
func (n *node) numberColumns(next int) int {
	if n.fields == nil {
		n.column = next
		return next + 1
	}
	for _, f := range n.fields {
		next = f.numberColumns(next)
	}
	return next
}

// rowOf is an event as its columns' values with the levels of Dremel: how many of the optional and repeated nodes
// around a value are there, and which of the repeated ones it repeats. It is good until the next call.
func (c *columns) rowOf(v *ocsf.Event) (row parquet.Row, err error) {
	for i := range c.leaves {
		c.leaves[i] = c.leaves[i][:0]
	}
	if err := c.writeValue(c.root, reflect.ValueOf(v).Elem(), level{}); err != nil {
		return nil, err
	}
	for _, values := range c.leaves {
		row = append(row, values...)
	}
	return row, nil
}

// level is a place in a row.
type level struct {
	repetition, definition int
	depth                  int // of lists
}

// writeField writes what n is in a struct: all there is, or that nothing is.
func (c *columns) writeField(n *node, v reflect.Value, at level) error {
	if n.optional {
		if v.IsZero() || v.Kind() == reflect.Map && v.Len() == 0 {
			c.writeNull(n, at)
			return nil
		}
		at.definition++
	}
	if v.Kind() == reflect.Pointer {
		v = v.Elem()
	}
	if !n.list {
		return c.writeValue(n, v, at)
	}
	if v.Len() == 0 {
		c.writeNull(n, at)
	}
	at.definition++
	at.depth++
	for i := range v.Len() {
		if i > 0 {
			at.repetition = at.depth
		}
		if err := c.writeValue(n, v.Index(i), at); err != nil {
			return err
		}
	}
	return nil
}

func (c *columns) writeNull(n *node, at level) {
	if n.fields == nil {
		c.addLeaf(n, parquet.NullValue(), at)
	}
	for _, f := range n.fields {
		c.writeNull(f, at)
	}
}

// writeValue writes one value or struct.
func (c *columns) writeValue(n *node, v reflect.Value, at level) error {
	for _, f := range n.fields {
		if err := c.writeField(f, v.Field(f.field), at); err != nil {
			return err
		}
	}
	if n.fields != nil {
		return nil
	}
	switch v.Kind() {
	case reflect.String:
		c.addLeaf(n, parquet.ByteArrayValue([]byte(v.String())), at)
	case reflect.Int:
		c.addLeaf(n, parquet.Int32Value(int32(v.Int())), at)
	case reflect.Int64:
		c.addLeaf(n, parquet.Int64Value(v.Int()), at)
	case reflect.Bool:
		c.addLeaf(n, parquet.BooleanValue(v.Bool()), at)
	default:
		data, err := json.Marshal(v.Interface(), json.Deterministic(true))
		if err != nil {
			return fault.Errorf(fault.Invalid, "encode %s: %w", n.name, err)
		}
		c.addLeaf(n, parquet.ByteArrayValue(data), at)
	}
	return nil
}

func (c *columns) addLeaf(n *node, v parquet.Value, at level) {
	c.leaves[n.column] = append(c.leaves[n.column], v.Level(at.repetition, at.definition, n.column))
}
