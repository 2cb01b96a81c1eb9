// Package apis knows the fields of the objects that charts render, in each version of Kubernetes that the library
// supports.
package apis

import (
	"embed"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"k8s.io/apimachinery/pkg/api/resource"
)

// Oldest and Newest are the minor versions of Kubernetes 1 whose types are known, and all between them.
const (
	Oldest = 25
	Newest = 37
)

// Types are the types of one version, as they are kept in testdata. The type of a field is the name of a type, a
// scalar (string, boolean, integer, number, quantity, intOrString), or []type or map[]type of either.
type Types struct {
	Source []string                     `json:"source"` // the Go modules that they were read from
	Kinds  map[string]string            `json:"kinds"`  // the type of "apiVersion kind"
	Types  map[string]map[string]string `json:"types"`  // the type of each field, by the type that has it
}

//go:embed testdata
var testdata embed.FS

// Of returns the types of a version of Kubernetes, which may be written as clusters do: 1.29, v1.29.3-eks-adc7111.
func Of(version string) (Types, error) {
	match := regexp.MustCompile(`^v?1\.(\d+)([.+-]|$)`).FindStringSubmatch(version)
	if match == nil {
		return Types{}, fmt.Errorf("%q is no version of Kubernetes 1", version)
	}
	minor, err := strconv.Atoi(match[1])
	if err != nil || minor < Oldest || minor > Newest {
		return Types{}, fmt.Errorf("the types of Kubernetes %s are not known, only those from 1.%d to 1.%d", version, Oldest, Newest)
	}
	return known[minor-Oldest]()
}

// known are the types of each version, oldest first, each read when it is first needed.
var known = func() []func() (Types, error) {
	var all []func() (Types, error)
	for minor := Oldest; minor <= Newest; minor++ {
		all = append(all, sync.OnceValues(func() (types Types, err error) {
			text, err := testdata.ReadFile(fmt.Sprintf("testdata/v1.%d.json", minor))
			if err == nil {
				err = json.Unmarshal(text, &types)
			}
			return types, err
		}))
	}
	return all
}()

// Check returns what a version of Kubernetes does not take of an object: fields that it does not know, and values of
// a wrong type, each with its path. Fields that only the cluster fills in (status, managedFields) count as unknown.
func Check(version string, object map[string]any) []string {
	types, err := Of(version)
	if err != nil {
		return []string{err.Error()}
	}
	kind := fmt.Sprintf("%v %v", object["apiVersion"], object["kind"])
	name, ok := types.Kinds[kind]
	if !ok {
		return []string{fmt.Sprintf("unknown kind %q", kind)}
	}
	return types.check(name, "", object)
}

func (t Types) check(want, path string, value any) []string {
	element, isList := strings.CutPrefix(want, "[]")
	ofMap, isMap := strings.CutPrefix(want, "map[]")
	fields, isObject := t.Types[want]
	var found []string
	switch value := value.(type) {
	case nil: // as if it were not there
		return nil
	case []any:
		if !isList {
			return wrong(path, want, value)
		}
		for i, item := range value {
			found = append(found, t.check(element, fmt.Sprintf("%s[%d]", path, i), item)...)
		}
	case map[string]any:
		if !isMap && !isObject {
			return wrong(path, want, value)
		}
		for _, key := range slices.Sorted(maps.Keys(value)) {
			below := strings.TrimPrefix(path+"."+key, ".")
			field := ofMap
			if isObject {
				field = fields[key]
			}
			if field == "" {
				found = append(found, below+": unknown field")
				continue
			}
			found = append(found, t.check(field, below, value[key])...)
		}
	default:
		if !isScalar(want, value) {
			return wrong(path, want, value)
		}
	}
	return found
}

func isScalar(want string, value any) bool {
	number, isNumber := value.(float64)
	if integer, ok := value.(int64); ok {
		number, isNumber = float64(integer), true
	}
	text, isString := value.(string)
	_, isBool := value.(bool)
	isInteger := isNumber && number == math.Trunc(number)
	switch want {
	case "string":
		return isString
	case "boolean":
		return isBool
	case "integer":
		return isInteger
	case "number":
		return isNumber
	case "intOrString":
		return isString || isInteger
	case "quantity":
		_, err := resource.ParseQuantity(text)
		return isNumber || isString && err == nil
	}
	return false
}

func wrong(path, want string, value any) []string {
	return []string{fmt.Sprintf("%s: %v is no %s", path, value, want)}
}
