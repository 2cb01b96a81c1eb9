package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/outrigger-charts/outrigger/tests/apis"
)

// toldElsewhere are fields whose version is checked with more than their name: native sidecars, and a sleep, which the oldest
// version that knows it does not have unless told to.
var toldElsewhere = []string{"Container.restartPolicy", "LifecycleHandler.sleep"}

// firstVersions returns, for each type that entries write or the library prints, the minor version of Kubernetes 1 from which on
// its fields are known, where that is not the oldest: a tree of fields, in which lists are what their items are.
func firstVersions() (object, error) {
	var versions []apis.Types
	for minor := apis.Oldest; minor <= apis.Newest; minor++ {
		types, err := apis.Of(fmt.Sprintf("1.%d", minor))
		if err != nil {
			return nil, err
		}
		versions = append(versions, types)
	}
	trees := object{"newest": apis.Newest}
	for root, elsewhere := range map[string][]string{
		"Container": nil,
		"Volume":    nil,
		"JobSpec":   {"template"},
		"PodSpec":   {"containers", "initContainers", "ephemeralContainers", "volumes"},
	} {
		tree := newerFields(versions, slices.Repeat([]string{root}, len(versions)))
		for _, field := range elsewhere {
			delete(tree, field)
		}
		trees[root] = tree
	}
	return trees, nil
}

// newerFields returns the fields of an object that the oldest version does not know, and what of those that it does know has such. The
// object's type may have another name in each version.
func newerFields(versions []apis.Types, names []string) object {
	tree := object{}
	newest := len(versions) - 1
	for field := range versions[newest].Types[names[newest]] {
		var below []string
		for version, types := range versions {
			of := types.Types[names[version]][field]
			below = append(below, of[strings.LastIndex(of, "]")+1:])
		}
		if slices.Contains(toldElsewhere, names[newest]+"."+field) {
			continue
		}
		if first := slices.IndexFunc(below, func(of string) bool { return of != "" }); first > 0 {
			tree[field] = apis.Oldest + first
		} else if newer := newerFields(versions, below); len(newer) > 0 {
			tree[field] = newer
		}
	}
	return tree
}
