package backend

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

// Controls answers the control port.
func (b *Backend) Controls() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	mux.HandleFunc("GET /report", func(w http.ResponseWriter, r *http.Request) {
		prefix := r.FormValue("prefix")
		count, err := strconv.Atoi(r.FormValue("count"))
		if prefix == "" || strings.Contains(prefix, " ") || err != nil || count < 0 {
			http.Error(w, "expected a prefix without blanks, and a count", http.StatusBadRequest)
			return
		}
		answer(w, b.Report(prefix, count))
	})
	mux.HandleFunc("GET /records", func(w http.ResponseWriter, r *http.Request) {
		last := ringSize
		if text := r.FormValue("last"); text != "" {
			var err error
			if last, err = strconv.Atoi(text); err != nil || last < 0 {
				http.Error(w, "last="+text+": expected a number", http.StatusBadRequest)
				return
			}
		}
		answer(w, b.Records(r.FormValue("contains"), last))
	})
	mux.HandleFunc("GET /counts", func(w http.ResponseWriter, _ *http.Request) { answer(w, b.Counts()) })
	mux.HandleFunc("GET /latency", func(w http.ResponseWriter, _ *http.Request) { answer(w, b.Latency()) })
	mux.HandleFunc("POST /behave", func(w http.ResponseWriter, r *http.Request) {
		if err := b.Behave(r.URL.RawQuery); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
		}
	})
	mux.HandleFunc("POST /forget", func(http.ResponseWriter, *http.Request) { b.Forget() })
	return mux
}

func answer(w http.ResponseWriter, value any) {
	text, err := json.Marshal(value)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(append(text, '\n'))
}
