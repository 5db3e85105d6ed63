package api

import "net/http"

// Refuse answers a request that another handler of the same server refuses, in the API's error shape.
func (s *Server) Refuse(w http.ResponseWriter, r *http.Request, status int, code, message string) {
	s.newRequest(w, r).writeFailure(newFailure(status, code, message))
}
