package render

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/outrigger-charts/outrigger/tests/apis"
	"github.com/outrigger-charts/outrigger/tests/harness"
)

// A bad value fails with a message that names its key and the mend; its neighbour, which is as it should be, passes.
func TestBadValuesFailWithTheKeyAndTheMend(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		bad, good string
		message   []string
	}{
		"unknown key": {
			bad:     `{logshippers: {logs: {filez: [/opt/x], to: {stdout: {}}}}}`,
			good:    `{volumes: {v: {mountPath: /opt}}, logshippers: {logs: {files: [/opt/x], to: {stdout: {}}}}}`,
			message: []string{"/logshippers/logs", "'filez' not allowed"},
		},
		"unknown pattern": {
			bad:     `{logshipers: {}}`,
			good:    `{logshippers: {}}`,
			message: []string{"'logshipers' not allowed"},
		},
		"unknown field deep in a container": {
			bad:     `{containers: {helper: {image: "h:1", startupProbe: {httpGet: {port: 80, pth: /}}}}}`,
			good:    `{containers: {helper: {image: "h:1", startupProbe: {httpGet: {port: 80, path: /}}}}}`,
			message: []string{"/containers/helper/startupProbe/httpGet", "'pth' not allowed"},
		},
		"a claim's template with a name": {
			bad:     `{volumes: {v: {mountPath: /v, ephemeral: {volumeClaimTemplate: {metadata: {name: v}, spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}}}}}}`,
			good:    `{volumes: {v: {mountPath: /v, ephemeral: {volumeClaimTemplate: {metadata: {labels: {a: b}}, spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}}}}}}`,
			message: []string{"/volumes/v/ephemeral/volumeClaimTemplate/metadata", "'name' not allowed"},
		},
		"bad type": {
			bad:     `{containers: {helper: {image: "h:1", command: run}}}`,
			good:    `{containers: {helper: {image: "h:1", command: [run]}}}`,
			message: []string{"/containers/helper/command", "got string, want null or array"},
		},
		"bad mode": {
			bad:     `{mode: Native}`,
			good:    `{mode: native}`,
			message: []string{"/mode", "'auto', 'native', 'classic'"},
		},
		"a mount of an unknown volume": {
			bad:     `{containers: {helper: {image: "h:1", volumeMounts: [{name: lgs, mountPath: /x}]}}}`,
			good:    `{volumes: {lgs: {mountPath: /y}}, containers: {helper: {image: "h:1", volumeMounts: [{name: lgs, mountPath: /x}]}}}`,
			message: []string{`outrigger.containers.helper.volumeMounts: there is no volume "lgs"; add outrigger.volumes.lgs`},
		},
		"a mount without a path of an unknown volume": {
			bad:     `{containers: {helper: {image: "h:1", volumeMounts: [{name: lgs}]}}}`,
			good:    `{volumes: {lgs: {mountPath: /y}}, containers: {helper: {image: "h:1", volumeMounts: [{name: lgs}]}}}`,
			message: []string{`outrigger.containers.helper.volumeMounts: volume "lgs" has no mountPath here`, "add outrigger.volumes.lgs.mountPath"},
		},
		"files in no volume": {
			bad:     `{volumes: {v: {mountPath: /opt}}, logshippers: {logs: {files: [/opt/a, /optional/*.log], to: {stdout: {}}}}}`,
			good:    `{volumes: {v: {mountPath: /opt}}, logshippers: {logs: {files: [/opt/a, /opt/b/*.log], to: {stdout: {}}}}}`,
			message: []string{`outrigger.logshippers.logs.files[1]: "/optional/*.log" lies in no volume that the app mounts; add outrigger.volumes.NAME.mountPath: /optional`},
		},
		"a name that is no DNS label": {
			bad:     `{containers: {My_Helper: {image: "h:1"}}}`,
			good:    `{containers: {my-helper: {image: "h:1"}}}`,
			message: []string{`outrigger.containers.My_Helper: "My_Helper" is no DNS label; rename the entry with lower case letters`},
		},
		"a name that is too long": {
			bad:     `{containers: {a234567890123456789012345678901234567890123456789012345678901234: {image: "h:1"}}}`,
			good:    `{containers: {a23456789012345678901234567890123456789012345678901234567890123: {image: "h:1"}}}`,
			message: []string{"is no DNS label", "at most 63 characters"},
		},
		"two entries with one name": {
			bad:     `{volumes: {v: {mountPath: /opt}}, containers: {logs: {image: "h:1"}}, logshippers: {logs: {files: [/opt/a], to: {stdout: {}}}}}`,
			good:    `{volumes: {v: {mountPath: /opt}}, containers: {log: {image: "h:1"}}, logshippers: {logs: {files: [/opt/a], to: {stdout: {}}}}}`,
			message: []string{`outrigger.logshippers.logs and outrigger.containers.logs: both make a container "logs"; rename one of them`},
		},
		"a name that the author's pod has": {
			bad:     `{containers: {app: {image: "h:1"}}}`,
			good:    `{containers: {apps: {image: "h:1"}}}`,
			message: []string{`outrigger.containers.app: the pod template already has a container "app"; rename the entry`},
		},
		"a volume that the author's pod has": {
			bad:     `{volumes: {own: {mountPath: /x}}}`,
			good:    `{volumes: {other: {mountPath: /x}}}`,
			message: []string{`outrigger.volumes.own: the pod template already has a volume "own"; rename the entry`},
		},
		"a mountPath that the author's pod has": {
			bad:     `{volumes: {other: {mountPath: /own}}}`,
			good:    `{volumes: {other: {mountPath: /own/below}}}`,
			message: []string{`container "app" of the pod template.volumeMounts: /own is the mountPath of volume "own" and of volume "other"; change or remove one`},
		},
		"a mountPath that the author's pod has, written in another way": {
			bad:     `{volumes: {other: {mountPath: /own/}}}`,
			good:    `{volumes: {other: {mountPath: /own/below/}}}`,
			message: []string{`container "app" of the pod template.volumeMounts: /own is the mountPath of volume "own" and of volume "other"; change or remove one`},
		},
		"a port that the author's pod has": {
			bad:     `{containers: {helper: {image: "h:1", ports: [{containerPort: 8080}]}}}`,
			good:    `{containers: {helper: {image: "h:1", ports: [{containerPort: 8080, protocol: UDP}]}}}`,
			message: []string{"outrigger.containers.helper.ports: port 8080/TCP is also declared by", "change one of them"},
		},
		"a port name that the author's pod has": {
			bad:     `{containers: {helper: {image: "h:1", ports: [{name: http, containerPort: 1}]}}}`,
			good:    `{containers: {helper: {image: "h:1", ports: [{name: admin, containerPort: 1}]}}}`,
			message: []string{`outrigger.containers.helper.ports: port name "http" is also used by`, "rename one of them"},
		},
		"one env name twice": {
			bad:     `{containers: {helper: {image: "h:1", env: [{name: A, value: a}, {name: A, value: b}]}}}`,
			good:    `{containers: {helper: {image: "h:1", env: [{name: A, value: a}, {name: B, value: b}]}}}`,
			message: []string{`outrigger.containers.helper.env: "A" is given twice; remove one`},
		},
		"no image": {
			bad:     `{containers: {helper: {command: [run]}}}`,
			good:    `{containers: {helper: {command: [run], image: "h:1"}}}`,
			message: []string{"outrigger.containers.helper.image: is missing; set it to an image"},
		},
		"no files": {
			bad:     `{logshippers: {logs: {to: {stdout: {}}}}}`,
			good:    `{logshippers: {logs: {enabled: false}}}`,
			message: []string{"outrigger.logshippers.logs: files is missing; set it to a list of absolute paths"},
		},
		"no destination": {
			bad:     `{volumes: {v: {mountPath: /opt}}, logshippers: {logs: {files: [/opt/a]}}}`,
			good:    `{volumes: {v: {mountPath: /opt}}, logshippers: {logs: {files: [/opt/a], to: {stdout: true}}}}`,
			message: []string{"outrigger.logshippers.logs: to is missing; set it to {stdout: {}}"},
		},
		"no mountPath": {
			bad:     `{volumes: {v: {size: 1Mi}}}`,
			good:    `{volumes: {v: {size: 1Mi, mountPath: /v}}}`,
			message: []string{"outrigger.volumes.v: mountPath is missing; set it to the path"},
		},
		"a size of what has none": {
			bad:     `{volumes: {v: {mountPath: /v, size: 1Mi, persistentVolumeClaim: {claimName: c}}}}`,
			good:    `{volumes: {v: {mountPath: /v, size: null, persistentVolumeClaim: {claimName: c}}}}`,
			message: []string{"outrigger.volumes.v: size is of an emptyDir, and the volume is a persistentVolumeClaim; set size: null, or persistentVolumeClaim: null"},
		},
		"a claim over the emptyDir of the chart's author": {
			bad:     `{volumes: {v: {mountPath: /v, emptyDir: {sizeLimit: 1Gi}, persistentVolumeClaim: {claimName: c}}}}`,
			good:    `{volumes: {v: {mountPath: /v, emptyDir: null, persistentVolumeClaim: {claimName: c}}}}`,
			message: []string{"outrigger.volumes.v: has 2 sources, emptyDir and persistentVolumeClaim, and a volume has one; keep one of them and set what you leave out to null (emptyDir: null)"},
		},
		"two sources, neither of them an emptyDir": {
			bad:     `{volumes: {v: {mountPath: /v, hostPath: {path: /srv}, persistentVolumeClaim: {claimName: c}}}}`,
			good:    `{volumes: {v: {mountPath: /v, hostPath: null, persistentVolumeClaim: {claimName: c}}}}`,
			message: []string{"outrigger.volumes.v: has 2 sources, hostPath and persistentVolumeClaim", "(hostPath: null)"},
		},
		"a seed from no container": {
			bad:     `{volumes: {v: {mountPath: /v, seed: true, containers: []}}}`,
			good:    `{volumes: {v: {mountPath: /v, seed: true, containers: [app]}}}`,
			message: []string{"outrigger.volumes.v: seed copies what the image of the first container that has the volume has there, and containers is empty; name a container, or remove seed"},
		},
		"an image with neither tag nor digest": {
			bad:     `{containers: {helper: {image: "registry:5000/h"}}}`,
			good:    `{containers: {helper: {image: "registry:5000/h@sha256:01"}}}`,
			message: []string{`outrigger.containers.helper.image: "registry:5000/h" has neither tag nor digest`, "add one, as in registry:5000/h:1.2.3"},
		},
		"one port number of two sidecars": {
			bad:     `{containers: {a: {image: "h:1", ports: {x: 9000}}, b: {image: "h:1", ports: {y: 9000}}}}`,
			good:    `{containers: {a: {image: "h:1", ports: {x: 9000}}, b: {image: "h:1", ports: {y: {containerPort: 9000, protocol: UDP}}}}}`,
			message: []string{"outrigger.containers.b.ports: port 9000/TCP is also declared by outrigger.containers.a, and a pod's containers share one network"},
		},
		"host ports that clash": {
			bad:     `{containers: {a: {image: "h:1", ports: {x: {containerPort: 1, hostPort: 80}}}, b: {image: "h:1", ports: {y: {containerPort: 2, hostPort: 80}}}}}`,
			good:    `{containers: {a: {image: "h:1", ports: {x: {containerPort: 1, hostPort: 80}}}, b: {image: "h:1", ports: {y: {containerPort: 2, hostPort: 80, protocol: UDP}}}}}`,
			message: []string{"outrigger.containers.b.ports: hostPort 80/TCP is also claimed by outrigger.containers.a"},
		},
		"two mounts at one path, written in two ways": {
			bad:     `{volumes: {v: {mountPath: /v}}, containers: {helper: {image: "h:1", volumeMounts: [{name: v, mountPath: /x}, {name: own, mountPath: /x/}]}}}`,
			good:    `{volumes: {v: {mountPath: /v}}, containers: {helper: {image: "h:1", volumeMounts: [{name: v, mountPath: /x}, {name: own, mountPath: /x/y}]}}}`,
			message: []string{`outrigger.containers.helper.volumeMounts: /x is the mountPath of volume "v" and of volume "own"; change or remove one`},
		},
		"a probe of a port that its container lacks": {
			bad:     `{containers: {helper: {image: "h:1", ports: {metrics: 9100}, readinessProbe: {httpGet: {port: http}}}}}`,
			good:    `{containers: {helper: {image: "h:1", ports: {metrics: 9100}, readinessProbe: {httpGet: {port: metrics}}, livenessProbe: {tcpSocket: {port: 8080}}}}}`,
			message: []string{`outrigger.containers.helper.readinessProbe: the container has no port "http"; name one of "metrics", or use the number`},
		},
		"a handler of a port that its container lacks": {
			bad:     `{containers: {helper: {image: "h:1", lifecycle: {postStart: {httpGet: {port: http}}}}}}`,
			good:    `{containers: {helper: {image: "h:1", lifecycle: {postStart: {httpGet: {port: 80}}}}}}`,
			message: []string{`outrigger.containers.helper.lifecycle.postStart: the container has no port "http"; give one of its ports that name, or use the number`},
		},
		"a port's number as a text": {
			bad:     `{containers: {helper: {image: "h:1", readinessProbe: {tcpSocket: {port: "80"}}}}}`,
			good:    `{containers: {helper: {image: "h:1", ports: {p80: 80}, readinessProbe: {tcpSocket: {port: p80}}}}}`,
			message: []string{`outrigger.containers.helper.readinessProbe: the port "80" is a text, which names a port; write the number without quotes`},
		},
		"a handler of a port that cannot be": {
			bad:     `{containers: {helper: {image: "h:1", readinessProbe: {tcpSocket: {port: 0}}, lifecycle: {postStart: {httpGet: {port: 70000}}}}}}`,
			good:    `{containers: {helper: {image: "h:1", readinessProbe: {tcpSocket: {port: 1}}, lifecycle: {postStart: {httpGet: {port: 65535}}}}}}`,
			message: []string{"outrigger.containers.helper.readinessProbe: there is no port 0", "outrigger.containers.helper.lifecycle.postStart: there is no port 70000; ports are 1 to 65535"},
		},
		"a preStop that ends the sidecar": {
			bad:     `{containers: {helper: {image: "h:1", lifecycle: {preStop: {exec: {command: [sh, -c, "sleep 5; kill 1"]}}}}}}`,
			good:    `{containers: {helper: {image: "h:1", lifecycle: {preStop: {exec: {command: [sh, -c, "sleep 5; kill -HUP 1"]}}}}}}`,
			message: []string{"outrigger.containers.helper.lifecycle.preStop: ends the sidecar when the pod begins to end, while the app still runs", "set preStopEnds: true"},
		},
		"a preStop that asks the sidecar to quit": {
			bad:     `{containers: {helper: {image: "h:1", lifecycle: {preStop: {httpGet: {port: 80, path: /quitquitquit}}}}}}`,
			good:    `{containers: {helper: {image: "h:1", preStopEnds: true, lifecycle: {preStop: {httpGet: {port: 80, path: /quitquitquit}}}}}}`,
			message: []string{"outrigger.containers.helper.lifecycle.preStop: ends the sidecar"},
		},
		"the native form on a cluster without it": {
			bad:     `{mode: native, kubeVersion: v1.28.9+k3s1, containers: {helper: {image: "h:1"}}}`,
			good:    `{mode: native, kubeVersion: v1.29.0-eks-abc, containers: {helper: {image: "h:1"}}}`,
			message: []string{"outrigger.mode: native sidecars need Kubernetes 1.29 or later and this is rendered for v1.28.9+k3s1"},
		},
		"a lifecycle action that the cluster lacks": {
			bad:     `{kubeVersion: 1.29.0, containers: {helper: {image: "h:1", lifecycle: {preStop: {sleep: {seconds: 1}}}}}}`,
			good:    `{kubeVersion: 1.30.0, containers: {helper: {image: "h:1", lifecycle: {preStop: {sleep: {seconds: 1}}}}}}`,
			message: []string{"outrigger.containers.helper.lifecycle.preStop.sleep: needs Kubernetes 1.30 or later and this is rendered for 1.29.0"},
		},
		"a sleep of no time where the cluster lacks that": {
			bad:     `{kubeVersion: 1.32.5, containers: {helper: {image: "h:1", lifecycle: {preStop: {sleep: {seconds: 0}}}}}}`,
			good:    `{kubeVersion: 1.33.0, containers: {helper: {image: "h:1", lifecycle: {preStop: {sleep: {seconds: 0}}}}}}`,
			message: []string{"outrigger.containers.helper.lifecycle.preStop.sleep.seconds: is 0, which needs Kubernetes 1.33 or later and this is rendered for 1.32.5; set 1 or more, or set outrigger.kubeVersion"},
		},
		"a probe of a container that runs to its end": {
			bad:     `{containers: {helper: {image: "h:1", kind: init, livenessProbe: {exec: {command: [x]}}}}}`,
			good:    `{containers: {helper: {image: "h:1", livenessProbe: {exec: {command: [x]}}}}}`,
			message: []string{"outrigger.containers.helper.livenessProbe: is for containers that stay, and this one runs to its end; remove it"},
		},
		"a probe of two handlers": {
			bad:     `{containers: {helper: {image: "h:1", livenessProbe: {httpGet: {port: 80}, tcpSocket: {port: 80}}}}}`,
			good:    `{containers: {helper: {image: "h:1", livenessProbe: {httpGet: null, tcpSocket: {port: 80}}}}}`,
			message: []string{"outrigger.containers.helper.livenessProbe: has 2 handlers, httpGet and tcpSocket, and Kubernetes takes one; keep one, and set what you leave out to null (httpGet: null)"},
		},
		"a probe of no handler": {
			bad:     `{containers: {helper: {image: "h:1", startupProbe: {periodSeconds: 3}}}}`,
			good:    `{containers: {helper: {image: "h:1", startupProbe: {periodSeconds: 3, grpc: {port: 80}}}}}`,
			message: []string{"outrigger.containers.helper.startupProbe: has no handler; add one, such as httpGet or exec"},
		},
		"hooks of two handlers and of none": {
			bad:  `{containers: {helper: {image: "h:1", lifecycle: {preStop: {sleep: {seconds: 1}, exec: {command: [a]}}, postStart: {exec: null}}}}}`,
			good: `{containers: {helper: {image: "h:1", lifecycle: {preStop: {sleep: {seconds: 1}}, postStart: null}}}}`,
			message: []string{
				"outrigger.containers.helper.lifecycle.preStop: has 2 handlers, exec and sleep", "outrigger.containers.helper.lifecycle.postStart: has no handler",
			},
		},
		"a grace period of a probe that ends no container": {
			bad:     `{containers: {helper: {image: "h:1", readinessProbe: {tcpSocket: {port: 80}, terminationGracePeriodSeconds: 3}}}}`,
			good:    `{containers: {helper: {image: "h:1", livenessProbe: {tcpSocket: {port: 80}, terminationGracePeriodSeconds: 3}}}}`,
			message: []string{"outrigger.containers.helper.readinessProbe.terminationGracePeriodSeconds: means nothing to Kubernetes, as this probe ends no container; leave it out"},
		},
		"restart rules of a container that runs to its end": {
			bad:     `{containers: {helper: {image: "h:1", kind: init, restartPolicyRules: [{action: Restart, exitCodes: {operator: In, values: [42]}}]}}}`,
			good:    `{containers: {helper: {image: "h:1", restartPolicyRules: [{action: Restart, exitCodes: {operator: In, values: [42]}}]}}}`,
			message: []string{"outrigger.containers.helper.restartPolicyRules: needs a container with a restartPolicy of its own, which of the library's only native sidecars are; leave it out"},
		},
		"restart rules of a classic sidecar": {
			bad:     `{mode: classic, containers: {helper: {image: "h:1", restartPolicyRules: [{action: Restart, exitCodes: {operator: In, values: [42]}}]}}}`,
			good:    `{mode: classic, containers: {helper: {image: "h:1", restartPolicyRules: null}}}`,
			message: []string{"outrigger.containers.helper.restartPolicyRules: needs a container with a restartPolicy of its own"},
		},
		"a request of what has to have the same limit": {
			bad:  `{containers: {helper: {image: "h:1", resources: {requests: {hugepages-2Mi: 2Mi, hugepages-1Gi: 1Gi, example.com/gpu: 1}, limits: {hugepages-1Gi: 2Gi}}}}}`,
			good: `{containers: {helper: {image: "h:1", resources: {requests: {hugepages-2Mi: 2Mi, example.com/gpu: 1, ephemeral-storage: 1Gi}, limits: {hugepages-2Mi: 2048Ki, example.com/gpu: "1"}}}}}`,
			message: []string{
				"outrigger.containers.helper.resources.requests.hugepages-2Mi: has no limit, and Kubernetes asks for the same, as nobody may take more of it than is requested; set resources.limits.hugepages-2Mi to 2Mi",
				"outrigger.containers.helper.resources.requests.hugepages-1Gi: is 1Gi, and the limit 2Gi; Kubernetes asks that they are the same",
				"outrigger.containers.helper.resources.requests.example.com/gpu: has no limit",
			},
		},
		"a request above its limit": {
			bad:     `{containers: {helper: {image: "h:1", resources: {requests: {memory: 1Gi}, limits: {memory: 1G}}}}}`,
			good:    `{containers: {helper: {image: "h:1", resources: {requests: {memory: 1G}, limits: {memory: 1Gi}}}}}`,
			message: []string{"outrigger.containers.helper.resources.requests.memory: is 1Gi, more than the limit of 1G; lower it or raise the limit"},
		},
		"a port map with a number as text": {
			bad:     `{containers: {helper: {image: "h:1", ports: {web: "80"}}}}`,
			good:    `{containers: {helper: {image: "h:1", ports: {web: 80}}}}`,
			message: []string{"/containers/helper/ports/web", "got string, want null or integer"},
		},
		"a port name that Kubernetes refuses": {
			bad:  `{containers: {helper: {image: "h:1", ports: {HTTP: 1, a--b: 2, "80": 3, metrics-of-shops: 4}}}}`,
			good: `{containers: {helper: {image: "h:1", ports: {web: 1, a-b: 2, 80-a: 3, metrics-of-shop: 4, HTTP: null}}}}`,
			message: []string{
				"outrigger.containers.helper.ports.HTTP: is no name of a port; rename it with at most 15 lower case letters",
				"ports.a--b: is no name", "ports.80: is no name", "ports.metrics-of-shops: is no name",
			},
		},
		"a port name that Kubernetes refuses, in the list of an init container": {
			bad:     `{containers: {helper: {kind: init, image: "h:1", ports: [{name: -a, containerPort: 1}]}}}`,
			good:    `{containers: {helper: {kind: init, image: "h:1", ports: [{name: a, containerPort: 1}]}}}`,
			message: []string{"outrigger.containers.helper.ports.-a: is no name of a port"},
		},
		"a port that cannot be": {
			bad:     `{containers: {helper: {image: "h:1", ports: {a: 80000}}}}`,
			good:    `{containers: {helper: {image: "h:1", ports: {a: 65535}}}}`,
			message: []string{"/containers/helper/ports/a", "maximum: got 80,000, want 65,535"},
		},
		"a host port that cannot be": {
			bad:     `{containers: {helper: {image: "h:1", ports: [{containerPort: 1, hostPort: 65536}]}}}`,
			good:    `{containers: {helper: {image: "h:1", ports: [{containerPort: 1, hostPort: 0}]}}}`,
			message: []string{"/containers/helper/ports/0/hostPort", "maximum: got 65,536, want 65,535"},
		},
		"an unknown field of a variable in a map": {
			bad:     `{containers: {helper: {image: "h:1", env: {A: {valueForm: {}}}}}}`,
			good:    `{containers: {helper: {image: "h:1", env: {A: {valueFrom: {fieldRef: {fieldPath: status.podIP}}}}}}}`,
			message: []string{"/containers/helper/env/A", "'valueForm' not allowed"},
		},
		"an unknown kind": {
			bad:     `{containers: {helper: {image: "h:1", kind: Init}}}`,
			good:    `{containers: {helper: {image: "h:1", kind: init}}}`,
			message: []string{"/containers/helper/kind", "'sidecar', 'init'"},
		},
		"a volume for an unknown container": {
			bad:     `{volumes: {v: {mountPath: /v, containers: [app, worker]}}}`,
			good:    `{volumes: {v: {mountPath: /v, containers: [app]}}}`,
			message: []string{`outrigger.volumes.v.containers: the pod template has no container "worker"; name one of its containers`},
		},
	} {
		t.Run(name, func(t *testing.T) {
			const pod = `
pod:
  metadata: {labels: {app: web}}
  spec:
    containers:
      - name: app
        image: app:1
        ports: [{name: http, containerPort: 8080}]
        volumeMounts: [{name: own, mountPath: /own}]
    volumes: [{name: own, emptyDir: {}}]
outrigger: `

			message := harness.Consumer(t).RenderError(t, pod+test.bad)

			for _, part := range test.message {
				assert.Contains(t, message, part)
			}
			harness.Consumer(t).Render(t, pod+test.good)
		})
	}
}

// What is at fault in the author's own pod template, which no schema sees.
func TestBadPodTemplatesFailWithThePlaceAndTheMend(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ bad, good, message string }{
		"an unknown field": {
			bad:     `{containers: [{name: app, image: "a:1", comand: [run]}]}`,
			good:    `{containers: [{name: app, image: "a:1", command: [run]}]}`,
			message: `container "app" of the pod template: Kubernetes knows no field "comand" here; remove it, or write one of "command"`,
		},
		"an unknown field further down": {
			bad:     `{containers: [{name: app, image: "a:1", readinessProbe: {httpGet: {prt: 80}}}]}`,
			good:    `{containers: [{name: app, image: "a:1", readinessProbe: {httpGet: {port: 80, httpHeaders: [{name: A, value: b}]}}}]}`,
			message: `container "app" of the pod template.readinessProbe.httpGet: Kubernetes knows no field "prt" here; remove it, or write one of "path", "port"`,
		},
		"an unknown field in a list": {
			bad:     `{containers: [{name: app, image: "a:1", env: [{name: A, val: b}]}]}`,
			good:    `{containers: [{name: app, image: "a:1", env: [{name: A, value: b}]}]}`,
			message: `container "app" of the pod template.env: Kubernetes knows no field "val" here; remove it, or write one of "value", "valueFrom"`,
		},
		"two containers with one name": {
			bad:     `{initContainers: [{name: app, image: "a:1"}], containers: [{name: app, image: "a:1"}]}`,
			good:    `{initContainers: [{name: init, image: "a:1"}], containers: [{name: app, image: "a:1"}]}`,
			message: `the pod template: has two containers "app"; rename one`,
		},
		"no image": {
			bad:     `{containers: [{name: app}]}`,
			good:    `{containers: [{name: app, image: a}]}`,
			message: `container "app" of the pod template.image: is missing`,
		},
		"a probe of a port that is a number in quotes": {
			bad:     `{containers: [{name: app, image: "a:1", livenessProbe: {tcpSocket: {port: "8080"}}}]}`,
			good:    `{containers: [{name: app, image: "a:1", livenessProbe: {tcpSocket: {port: http}}}]}`,
			message: `container "app" of the pod template.livenessProbe: the port "8080" is a text, which names a port; write the number without quotes`,
		},
		"a probe of a container that runs to its end": {
			bad:     `{initContainers: [{name: init, image: "i:1", livenessProbe: {exec: {command: [x]}}}], containers: [{name: app, image: "a:1"}]}`,
			good:    `{initContainers: [{name: init, image: "i:1", livenessProbe: null, lifecycle: null}], containers: [{name: app, image: "a:1"}]}`,
			message: `container "init" of the pod template.livenessProbe: is for containers that stay`,
		},
		"one port name twice in one container": {
			bad:     `{containers: [{name: app, image: "a:1", ports: [{name: http, containerPort: 1}, {name: http, containerPort: 2}]}]}`,
			good:    `{containers: [{name: app, image: "a:1", ports: [{name: http, containerPort: 1}]}, {name: b, image: "b:1", ports: [{name: http, containerPort: 2}]}]}`,
			message: `container "app" of the pod template.ports: port name "http" is also used by container "app" of the pod template`,
		},
		"one port number twice in one container": {
			bad:     `{containers: [{name: app, image: "a:1", ports: [{containerPort: 1}, {name: http, containerPort: 1}]}]}`,
			good:    `{containers: [{name: app, image: "a:1", ports: [{containerPort: 1}]}, {name: b, image: "b:1", ports: [{containerPort: 1}]}]}`,
			message: `container "app" of the pod template.ports: port 1/TCP is also declared by container "app" of the pod template`,
		},
		"one host port in two containers": {
			bad:     `{containers: [{name: app, image: "a:1", ports: [{containerPort: 1, hostPort: 80}]}, {name: b, image: "b:1", ports: [{containerPort: 2, hostPort: 80}]}]}`,
			good:    `{containers: [{name: app, image: "a:1", ports: [{containerPort: 1, hostPort: 80}]}, {name: b, image: "b:1", ports: [{containerPort: 2, hostPort: 81}]}]}`,
			message: `container "b" of the pod template.ports: hostPort 80/TCP is also claimed by container "app" of the pod template`,
		},
		"two mounts at one path": {
			bad:     `{volumes: [{name: v, emptyDir: {}}, {name: w, emptyDir: {}}], containers: [{name: app, image: "a:1", volumeMounts: [{name: v, mountPath: /d}, {name: w, mountPath: /d}]}]}`,
			good:    `{volumes: [{name: v, emptyDir: {}}, {name: w, emptyDir: {}}], containers: [{name: app, image: "a:1", volumeMounts: [{name: v, mountPath: /d}, {name: w, mountPath: /d/}]}]}`,
			message: `container "app" of the pod template.volumeMounts: /d is the mountPath of volume "v" and of volume "w"; change or remove one`,
		},
		"a list that is a map": {
			bad:     `{containers: {app: {image: "a:1"}}}`,
			good:    `{containers: [{name: app, image: "a:1"}], volumes: {}, initContainers: ""}`,
			message: `the pod template: spec.containers is a map, and has to be a list; write - before each of its items`,
		},
		"another one": {
			bad:     `{containers: [{name: app, image: "a:1"}], volumes: {data: {emptyDir: {}}}}`,
			good:    `{containers: [{name: app, image: "a:1"}], volumes: [{name: data, emptyDir: {}}]}`,
			message: `the pod template: spec.volumes is a map, and has to be a list`,
		},
		"a container that is a text": {
			bad:     `{containers: [app]}`,
			good:    `{containers: [{name: app, image: "a:1"}]}`,
			message: `the pod template: spec.containers[0] is a text, and has to be an object with fields`,
		},
		"a container without a name": {
			bad:     `{initContainers: [{name: first, image: "a:1"}, {image: "a:1"}], containers: [{name: app, image: "a:1"}]}`,
			good:    `{initContainers: [{name: first, image: "a:1"}, {name: second, image: "a:1"}], containers: [{name: app, image: "a:1"}]}`,
			message: `the pod template: spec.initContainers[1] has no name; give it one`,
		},
		"a name that YAML reads as false": {
			bad:     `{containers: [{name: no, image: "a:1"}]}`,
			good:    `{containers: [{name: "no", image: "a:1"}]}`,
			message: `the pod template: spec.containers[0] has no name; give it one (in quotes where it is a word that YAML reads as true or false`,
		},
		"a name that YAML reads as a number": {
			bad:     `{containers: [{name: app, image: "a:1"}], volumes: [{name: 1, emptyDir: {}}]}`,
			good:    `{containers: [{name: app, image: "a:1"}], volumes: [{name: "1", emptyDir: {}}]}`,
			message: `the pod template: spec.volumes[0].name is a number, 1, and has to be a text; write it in quotes`,
		},
		"a list of a container's that is a map": {
			bad:     `{containers: [{name: app, image: "a:1", env: {A: b}, ports: {http: 80}}]}`,
			good:    `{containers: [{name: app, image: "a:1", env: [{name: A, value: b}], ports: [{name: http, containerPort: 80}]}]}`,
			message: `container "app" of the pod template.env: is a map, and has to be a list; write - before each of its items`,
		},
		"an object that is a text": {
			bad:     `{containers: [{name: app, image: "a:1", livenessProbe: {httpGet: /}}]}`,
			good:    `{containers: [{name: app, image: "a:1", livenessProbe: {httpGet: {path: /, port: 80}}}]}`,
			message: `container "app" of the pod template.livenessProbe.httpGet: is a text, and has to be an object with fields`,
		},
		"a null in a list": {
			bad:     `{containers: [{name: app, image: "a:1", ports: [null]}]}`,
			good:    `{containers: [{name: app, image: "a:1", ports: null}]}`,
			message: `container "app" of the pod template.ports: is null, and has to be an object with fields`,
		},
		"a variable without a name": {
			bad:     `{containers: [{name: app, image: "a:1", env: [{value: b}]}]}`,
			good:    `{containers: [{name: app, image: "a:1", env: [{name: A, value: b}]}]}`,
			message: `container "app" of the pod template.env: is a map, and has to be an object with a name; write name: and what else it has`,
		},
		"a port's name that YAML reads as true": {
			bad:     `{containers: [{name: app, image: "a:1", ports: [{name: on, containerPort: 80}]}]}`,
			good:    `{containers: [{name: app, image: "a:1", ports: [{name: "on", containerPort: 80}]}]}`,
			message: `container "app" of the pod template.ports.name: is a boolean, and has to be a text; write true in quotes`,
		},
		"a path that is a list": {
			bad:     `{volumes: [{name: v, emptyDir: {}}], containers: [{name: app, image: "a:1", volumeMounts: [{name: v, mountPath: [/v]}]}]}`,
			good:    `{volumes: [{name: v, emptyDir: {}}], containers: [{name: app, image: "a:1", volumeMounts: [{name: v, mountPath: /v}]}]}`,
			message: `container "app" of the pod template.volumeMounts.mountPath: is a list, and has to be a text`,
		},
		"a pod's security context that is a text": {
			bad:     `{securityContext: restricted, containers: [{name: app, image: "a:1"}]}`,
			good:    `{securityContext: {runAsNonRoot: true}, containers: [{name: app, image: "a:1"}]}`,
			message: `the pod template: spec.securityContext is a text, and has to be an object with fields`,
		},
		"a pod's resources that are a list": {
			bad:     `{resources: {limits: [1Gi]}, containers: [{name: app, image: "a:1"}]}`,
			good:    `{resources: {limits: {memory: 1Gi}}, containers: [{name: app, image: "a:1"}]}`,
			message: `the pod template: spec.resources.limits is a list, and has to be an object with fields`,
		},
		"a claim that is null": {
			bad:     `{resourceClaims: [null], containers: [{name: app, image: "a:1"}]}`,
			good:    `{resourceClaims: [{name: gpu, resourceClaimName: gpu}], containers: [{name: app, image: "a:1"}]}`,
			message: `the pod template: spec.resourceClaims[0] is null, and has to be an object with fields`,
		},
		"a restartPolicy that is a list": {
			bad:     `{restartPolicy: [Always], containers: [{name: app, image: "a:1"}]}`,
			good:    `{restartPolicy: Always, containers: [{name: app, image: "a:1"}]}`,
			message: `the pod template: spec.restartPolicy is a list, and has to be a text`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			message := harness.Consumer(t).RenderError(t, `pod: {metadata: {labels: {app: web}}, spec: `+test.bad+`}`)

			assert.Contains(t, message, test.message)
			harness.Consumer(t).Render(t, `pod: {metadata: {labels: {app: web}}, spec: `+test.good+`}`)
		})
	}
}

func TestAFieldThatAClusterNewerThanTheLibraryMayKnowIsLeftToIt(t *testing.T) {
	t.Parallel()
	chart := harness.Consumer(t)
	const values = `pod: {metadata: {labels: {app: web}}, spec: {containers: [{name: app, image: "a:1", ofLater: {some: text}}]}}`
	for version, message := range map[string]string{
		fmt.Sprintf("v1.%d.3", apis.Newest):           `container "app" of the pod template: Kubernetes knows no field "ofLater" here`,
		fmt.Sprintf("v1.%d.0-alpha.1", apis.Newest+1): "",
	} {
		settings := harness.Settings{KubeVersion: version}
		if message != "" {
			assert.Contains(t, chart.RenderError(t, values, settings), message, version)
			continue
		}

		deployment := chart.OfShapes().RenderMaps(t, values, settings)[0]

		assert.Equal(t, "text", fieldAt(deployment, "spec/template/spec/containers/app/ofLater/some"), version)
	}
}

func TestThatAPodTemplatesMetadataIsNoMapIsTold(t *testing.T) {
	t.Parallel()
	for metadata, message := range map[string]string{
		`web`:                  "metadata is a text, and has to be an object with fields",
		`{labels: [app, web]}`: "metadata.labels is a list, and has to be an object with fields",
		`{annotations: none}`:  "metadata.annotations is a text, and has to be an object with fields",
	} {
		values := `
pod: {metadata: ` + metadata + `, spec: {containers: [{name: app, image: "a:1"}]}}
outrigger: {volumes: {logs: {mountPath: /logs}}, logshippers: {ship: {files: [/logs/a], to: {otlphttp: {endpoint: "http://b:4318"}}}}}`

		assert.Contains(t, harness.Consumer(t).RenderError(t, values), "the pod template: "+message)
	}
}

func TestWhatAPodTemplateSaysThatASidecarCannotBeBesideIsTold(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ bad, good, values, message string }{
		"no operating system": {
			good:    `os: {name: linux}, `,
			values:  `{containers: {helper: {image: "h:1", lifecycle: {stopSignal: SIGUSR1}}}}`,
			message: "outrigger.containers.helper.lifecycle.stopSignal: needs a pod that says its operating system; set os: {name: linux} in the pod template's spec, or leave this out",
		},
		"another operating system": {
			bad:     `os: {name: windows}, `,
			values:  `{volumes: {v: {mountPath: /v}}, containers: {helper: {image: "h:1"}, elsewhere: {image: "h:1", workloads: [other]}}}`,
			message: "outrigger.containers.helper: makes a container for Linux, and the pod template's os is windows; leave it out of this pod (workloads, enabled: false)",
		},
		"claims of others": {
			bad:     `resourceClaims: [{name: other, resourceClaimName: other}], `,
			good:    `resourceClaims: [{name: gpu, resourceClaimName: gpu}], `,
			values:  `{containers: {helper: {image: "h:1", resources: {claims: [{name: gpu}]}}}}`,
			message: `outrigger.containers.helper.resources.claims[0]: the pod template has no resourceClaims "gpu"; name one of "other"`,
		},
		"the node's processes": {
			bad:     `hostPID: true, `,
			values:  `{shareProcessNamespace: true, containers: {helper: {image: "h:1"}}}`,
			message: "outrigger.shareProcessNamespace: is true, and the pod template has hostPID: true, beside which Kubernetes refuses it; set outrigger.workloads.web.shareProcessNamespace to false",
		},
	} {
		t.Run(name, func(t *testing.T) {
			pod := func(fields string) string {
				return `pod: {metadata: {labels: {app: web}}, spec: {` + fields + `containers: [{name: app, image: "a:1"}]}}` + "\noutrigger: " + test.values
			}

			message := harness.Consumer(t).RenderError(t, pod(test.bad))

			assert.Contains(t, message, "1 problem(s)")
			assert.Contains(t, message, "- "+test.message)
			harness.Consumer(t).Render(t, pod(test.good))
		})
	}
}

func TestPrivilegesThatContradictOneAnotherAreTold(t *testing.T) {
	t.Parallel()
	for _, privileges := range []string{"privileged: true", "capabilities: {add: [SYS_ADMIN]}", "capabilities: {add: [CAP_SYS_ADMIN]}"} {
		values := func(context string) string {
			return `
pod: {metadata: {labels: {app: web}}, spec: {containers: [{name: app, image: "a:1"}]}}
outrigger: {containers: {helper: {image: "h:1", securityContext: {` + context + "}}}}"
		}

		message := harness.Consumer(t).RenderError(t, values(privileges+", allowPrivilegeEscalation: false"))

		assert.Contains(t, message, "outrigger.containers.helper.securityContext.allowPrivilegeEscalation: is false, which Kubernetes refuses beside privileged")
		harness.Consumer(t).Render(t, values(privileges))
	}
}

func TestASidecarMayMountAVolumeOfAStatefulSetsClaims(t *testing.T) {
	t.Parallel()
	chart := harness.NewChart(t, map[string]string{"templates/statefulset.yaml": `
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: web}
spec:
  serviceName: web
  selector: {matchLabels: {app: web}}
  volumeClaimTemplates: [{metadata: {name: data}, spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}}]
  template:
    {{- include "outrigger.podTemplate" (dict "context" . "podTemplate" .Values.pod "workload" "web") | nindent 4 }}
`})

	chart.Render(t, `
pod: {metadata: {labels: {app: web}}, spec: {containers: [{name: app, image: "a:1", volumeMounts: [{name: data, mountPath: /data}]}]}}
outrigger: {containers: {helper: {image: "h:1", volumeMounts: [{name: data}]}}}
`)
}

func TestAnInitContainerOfTheAuthorsThatStaysNeedsAClusterThatKnowsIt(t *testing.T) {
	t.Parallel()
	const pod = `pod: {metadata: {labels: {app: web}}, spec: {initContainers: [{name: own, image: "o:1", restartPolicy: Always}], containers: [{name: app, image: "a:1"}]}}`

	message := harness.Consumer(t).RenderError(t, pod, harness.Settings{KubeVersion: "v1.28.0"})

	assert.Contains(t, message, `container "own" of the pod template.restartPolicy: of an init container needs Kubernetes 1.29 or later`)
	harness.Consumer(t).Render(t, pod, harness.Settings{KubeVersion: "v1.29.0"})
}

func TestAllProblemsComeInOneMessage(t *testing.T) {
	t.Parallel()
	message := harness.Consumer(t).RenderError(t, appPod+`
outrigger:
  containers:
    a: {command: [x]}
    b: {image: "b:1", volumeMounts: [{name: nowhere, mountPath: /x}]}
    C: {image: "c:1"}
`)

	assert.Contains(t, message, `3 problem(s) in chart "shop"`)
	assert.Contains(t, message, "outrigger.containers.a.image")
	assert.Contains(t, message, "outrigger.containers.b.volumeMounts")
	assert.Contains(t, message, "outrigger.containers.C")
}

func TestAPodMayRepeatAPortInARunOnceInitContainer(t *testing.T) {
	t.Parallel()
	renderPod(t, `
pod:
  metadata: {labels: {app: web}}
  spec:
    initContainers: [{name: migrate, image: m:1, ports: [{containerPort: 8080}]}]
    containers: [{name: app, image: app:1, ports: [{containerPort: 8080}]}]
outrigger: {containers: {helper: {image: "h:1"}}}
`)
}

func TestGlobalValuesAreLetThrough(t *testing.T) {
	t.Parallel()
	harness.Consumer(t).Render(t, appPod+`global: {anything: {at: all}}`, harness.Settings{})
}

func TestAnImageThatIsRefusedIsToldByTheKeyThatSaysIt(t *testing.T) {
	t.Parallel()
	const shipped = `volumes: {logs: {mountPath: /logs}}, logshippers: {ship: {files: [/logs/a], to: {stdout: {}}`
	const refresher = `tokenRefreshers: {db: {ttl: 5m, file: {path: /tokens/a, format: raw}, `
	const pooler = `ambassadors: {db: {pgbouncer: {host: a, database: b, secret: c, user: d}}}`
	for values, want := range map[string]string{
		shipped + `}}, images: {busybox: b/busybox}}`:                                             `outrigger.images.busybox: "b/busybox"`,
		shipped + `, image: own/busybox}}, images: {busybox: b/busybox}}`:                         `outrigger.logshippers.ship.image: "own/busybox"`,
		shipped + "}}, images: {busybox: b/busybox}}\nglobal: {imageRegistry: r.example}":         `outrigger.images.busybox: "r.example/b/busybox"`,
		refresher + `exec: {image: e/exec, command: [token]}}}}`:                                  `outrigger.tokenRefreshers.db.exec.image: "e/exec"`,
		refresher + `image: own/exec, exec: {image: "e/exec:1", command: [token]}}}}`:             `outrigger.tokenRefreshers.db.image: "own/exec"`,
		refresher + `vault: {address: "https://v", path: p}}}, images: {outrigger: o/outrigger}}`: `outrigger.images.outrigger: "o/outrigger"`,
		pooler + `, images: {pgbouncer: p/pgbouncer}}`:                                            `outrigger.images.pgbouncer: "p/pgbouncer"`,
	} {
		message := harness.Consumer(t).RenderError(t, appPod+"outrigger: {"+values+"\n")

		assert.Contains(t, message, "- "+want+" has neither tag nor digest", values)
	}
}
