// Command env prints what the kubelet reads of files of variables, which containers name by fileKeyRef, by Kubernetes' own code.
// It reads a list of {"file": its content, "key": a variable} from standard input, in JSON with bytes in base64, and prints a
// list of {"value": the variable's, "error": why the kubelet refuses the file}.
package main

import (
	"encoding/json"
	"log"
	"os"

	"k8s.io/kubernetes/pkg/kubelet/util/env" // what the kubelet calls
)

type question struct {
	File []byte `json:"file"`
	Key  string `json:"key"`
}

type answer struct {
	Value []byte `json:"value"`
	Error string `json:"error,omitempty"`
}

func main() {
	log.SetFlags(0)
	log.SetPrefix("env: ")
	var questions []question
	if err := json.NewDecoder(os.Stdin).Decode(&questions); err != nil {
		log.Fatal(err)
	}
	file, err := os.CreateTemp("", "")
	if err != nil {
		log.Fatal(err)
	}
	path := file.Name()
	answers := make([]answer, 0, len(questions))
	for _, q := range questions {
		if err = os.WriteFile(path, q.File, 0o600); err != nil {
			break
		}
		value, refusal := env.ParseEnv(path, q.Key)
		a := answer{Value: []byte(value)}
		if refusal != nil {
			a.Error = refusal.Error()
		}
		answers = append(answers, a)
	}
	_ = os.Remove(path)
	if err != nil {
		log.Fatal(err)
	}
	if err := json.NewEncoder(os.Stdout).Encode(answers); err != nil {
		log.Fatal(err)
	}
}
