package tokenserver

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"
)

// Controls answers the control port.
func (s *Server) Controls() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	mux.HandleFunc("GET /report", func(w http.ResponseWriter, _ *http.Request) { answer(w, http.StatusOK, s.Report()) })
	mux.HandleFunc("GET /logins", func(w http.ResponseWriter, r *http.Request) {
		if after, ok := number(w, r, "after"); ok {
			answer(w, http.StatusOK, s.Logins(after))
		}
	})
	mux.HandleFunc("GET /wait", s.wait)
	mux.HandleFunc("POST /behave", func(w http.ResponseWriter, r *http.Request) {
		if err := s.Behave(r.URL.RawQuery); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
		}
	})
	mux.HandleFunc("POST /forget", func(http.ResponseWriter, *http.Request) { s.Forget() })
	mux.HandleFunc("POST /disconnect", func(http.ResponseWriter, *http.Request) { s.Disconnect() })
	return mux
}

func (s *Server) wait(w http.ResponseWriter, r *http.Request) {
	limit, err := time.ParseDuration(r.FormValue("limit"))
	if err != nil {
		http.Error(w, "limit: "+err.Error(), http.StatusBadRequest)
		return
	}
	names := []string{"accepted", "refused", "tokens"}
	for name := range r.Form {
		if name != "limit" && !slices.Contains(names, name) {
			http.Error(w, name+": no such count", http.StatusBadRequest)
			return
		}
	}
	var counts [3]int
	for index, name := range names {
		var ok bool
		if counts[index], ok = number(w, r, name); !ok {
			return
		}
	}
	ctx, cancel := context.WithTimeout(r.Context(), limit)
	defer cancel()
	code := http.StatusOK
	report, reached := s.Wait(ctx, counts[0], counts[1], counts[2])
	if !reached {
		code = http.StatusGatewayTimeout
	}
	answer(w, code, report)
}

// number returns a value of a query, 0 where it is not given.
func number(w http.ResponseWriter, r *http.Request, name string) (value int, ok bool) {
	text := r.FormValue(name)
	if text == "" {
		return 0, true
	}
	value, err := strconv.Atoi(text)
	if err != nil || value < 0 {
		http.Error(w, name+"="+text+": expected a number", http.StatusBadRequest)
		return 0, false
	}
	return value, true
}

func answer(w http.ResponseWriter, code int, value any) {
	text, err := json.Marshal(value)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_, _ = w.Write(append(text, '\n'))
}
