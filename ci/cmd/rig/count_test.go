package main

import (
	"reflect"
	"strings"
	"testing"
)

func TestCountEvents(t *testing.T) {
	got, err := countEvents(strings.NewReader(`{"Action":"start","Package":"a"}
{"Action":"run","Package":"a","Test":"TestOne"}
{"Action":"output","Package":"a","Test":"TestOne","Output":"--- PASS: TestOne\n"}
{"Action":"pass","Package":"a","Test":"TestOne/sub"}
{"Action":"pass","Package":"a","Test":"TestOne"}
{"Action":"skip","Package":"a","Test":"TestTwo"}
{"Action":"fail","Package":"a","Test":"TestThree"}
{"Action":"fail","Package":"a"}
{"Action":"build-fail","ImportPath":"b [b.test]"}
{"Action":"fail","Package":"b","FailedBuild":"b [b.test]"}
{"Action":"skip","Package":"c"}
`))
	want := counts{passed: 2, failed: 2, failures: []string{"a TestThree", "b"}, skipped: []string{"a TestTwo"}}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v; want %+v", got, err, want)
	}
}
