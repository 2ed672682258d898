package samples

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
)

const socialTicket = "ticket_status_change"

func socialboards() dialect {
	return dialect{
		name: "socialboards",
		// Nothing proves a live request but the community's name.
		secret: "COMMUNITY",
		types: []string{
			socialTicket, "conversation_created", "conversation_message_added",
			"conversation_takeover_state_changed", "conversation_closed", Handshake,
		},
		make: makeSocialboards,
		fill: func(o *Options, setting func(string) string) {
			o.Community = cmpOr(o.Community, o.Secret, setting("COMMUNITY"))
			o.VerifyToken = cmpOr(o.VerifyToken, setting("VERIFY_TOKEN"))
		},
		private: func(random func() string) map[string]string {
			return map[string]string{"VERIFY_TOKEN": random(), "COMMUNITY": random()}
		},
	}
}

func makeSocialboards(o Options) (Sample, error) {
	s := Sample{Method: http.MethodPost, Header: jsonHeader(), Body: o.Body, Type: o.Type}
	if o.Body != nil {
		return s, nil
	}
	if o.Type == Handshake {
		if o.VerifyToken == "" {
			return Sample{}, missing("VERIFY_TOKEN")
		}
		challenge := fmt.Sprint(o.At.UnixMilli() + int64(o.N))
		query := url.Values{"challenge": {challenge}, "verifyToken": {o.VerifyToken}}
		return Sample{Method: http.MethodGet, Header: http.Header{}, Query: query}, nil
	}
	community := cmpOr(o.Community, o.Secret)
	if community == "" {
		return Sample{}, missing("COMMUNITY")
	}
	ticket := cmpOr(strings.TrimPrefix(o.Subject, community+"/"), "6120457")
	s.Subject = community + "/" + ticket

	name := "socialboards-conversation"
	if o.Type == socialTicket {
		name = "socialboards-ticket"
	}
	body := embedded(name)
	id := number(ticket)
	body["CommunityName"], body["EventType"], body["TicketId"] = community, o.Type, id
	event := in(body, "Events", 0)
	event["InboxLink"] = "https://inbox.socialboards.com/" + url.PathEscape(community) + "/tickets?ticketId=" + url.QueryEscape(ticket)
	at := moment(o).Format(precise)
	if o.Type == socialTicket {
		// A ticket goes to and fro; without an event time, what else differs makes
		// each of a series another event.
		statuses := []string{"open", "pending"}
		event["PreviousTicketStatus"] = statuses[o.N%2]
		change := in(event, "Ticket")
		change["Id"], change["Status"], change["LastThreadElementCreationTime"] = id, statuses[(o.N+1)%2], at
	} else {
		event["ConversationId"], event["EventTime"] = id, at
		in(event, "Conversation")["Id"] = id
		in(event, "Conversation")["LastModifiedTime"] = at
		in(event, "Conversation")["IsClosed"] = o.Type == "conversation_closed"
	}
	s.Body = encode(body)
	return s, nil
}

var integer = regexp.MustCompile(`^(0|[1-9][0-9]*)$`)

// number is an id as SocialBoards writes it, or a string if it is no number.
func number(id string) any {
	if integer.MatchString(id) {
		return json.Number(id)
	}
	return id
}
