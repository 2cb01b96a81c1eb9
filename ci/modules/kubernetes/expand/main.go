// Command expand prints containers as the kubelet starts them: with the references $(NAME) in their environment, commands and
// arguments expanded by Kubernetes' own code. It reads lists of containers, in JSON, one after the other, from standard input, and
// prints such a list on a line for each. A variable whose value comes from elsewhere has the value "the FIELDPATH", such as "the metadata.name".
package main

import (
	"encoding/json"
	"errors"
	"io"
	"log"
	"os"

	"k8s.io/kubernetes/third_party/forked/golang/expansion" // what the kubelet calls
)

type container struct {
	Command []string   `json:"command,omitempty"`
	Args    []string   `json:"args,omitempty"`
	Env     []variable `json:"env,omitempty"`
}

type variable struct {
	Name      string `json:"name"`
	Value     string `json:"value"`
	ValueFrom *struct {
		FieldRef *struct {
			FieldPath string `json:"fieldPath"`
		} `json:"fieldRef"`
	} `json:"valueFrom,omitempty"`
}

func main() {
	log.SetFlags(0)
	log.SetPrefix("expand: ")
	in, out := json.NewDecoder(os.Stdin), json.NewEncoder(os.Stdout)
	for {
		var containers []container
		if err := in.Decode(&containers); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			log.Fatal(err)
		}
		for i := range containers {
			expand(&containers[i])
		}
		if err := out.Encode(containers); err != nil {
			log.Fatal(err)
		}
	}
}

// expand does what the kubelet does (makeEnvironmentVariables, ExpandContainerCommandAndArgs): a variable may refer to those
// before it, command and arguments to all.
func expand(c *container) {
	known := map[string]string{}
	mapping := expansion.MappingFuncFor(known)
	for i, v := range c.Env {
		switch {
		case v.ValueFrom == nil:
			v.Value = expansion.Expand(v.Value, mapping)
		case v.ValueFrom.FieldRef != nil:
			v.Value = "the " + v.ValueFrom.FieldRef.FieldPath
		}
		known[v.Name] = v.Value
		c.Env[i] = variable{Name: v.Name, Value: v.Value}
	}
	for _, words := range [][]string{c.Command, c.Args} {
		for i, word := range words {
			words[i] = expansion.Expand(word, mapping)
		}
	}
}
