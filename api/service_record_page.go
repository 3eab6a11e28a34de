package api

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	"timebank/api/gen"
	"timebank/api/web"
	"timebank/ledger"
	"timebank/ledger/book"
	"timebank/policy"
)

// recordPage is what the page of a service record shows.
type recordPage struct {
	Lang, Name, RolesLine, Total, LevelWords, Steadiness, Footer string
	W                                                            recordWords
	Tables                                                       []recordTable
	Notices                                                      []string
}

type recordTable struct {
	Title string
	Rows  []recordRow
}

type recordRow struct{ Name, Value string }

// recordWords are the page's own words in a language.
type recordWords struct {
	Title, Unnamed, Honours, Clarifications   string
	Years, Services, Positions, Organizations string
	Grades                                    string
}

var recordWordsOf = map[policy.Lang]recordWords{
	policy.English: {"Volunteer service record", "not of the catalogue", "Honours", "Complaints found to be without ground",
		"By year", "By service", "By position", "Certified by", "By evidence (A is best)"},
	policy.Chinese: {"志愿服务记录", "目录以外", "表彰与证明", "经核实不成立的投诉", "按年度", "按服务项目", "按担任角色", "证明单位", "按证据等级（A 最高）"},
}

var roleWords = map[policy.Lang]map[ledger.VolunteerRole]string{
	policy.English: {"medical_social_worker": "medical social worker", "community_worker": "community worker", "professional": "professional"},
	policy.Chinese: {"medical_social_worker": "医务社会工作者", "community_worker": "社区工作者", "professional": "专业人员"},
}

var positionWords = map[policy.Lang]map[string]string{
	policy.English: {"": "member", "organizer": "organizer", "leader": "leader", "trainer": "trainer"},
	policy.Chinese: {"": "成员", "organizer": "组织者", "leader": "带队", "trainer": "培训者"},
}

// GetServiceRecordPage gives the record as a page to print.
func (s *Server) GetServiceRecordPage(ctx context.Context, r gen.GetServiceRecordPageRequestObject) (gen.GetServiceRecordPageResponseObject, error) {
	by := callOf(ctx).by
	v, err := s.book.ServiceRecord(ctx, by, r.Id)
	if err != nil {
		return nil, err
	}
	name := r.Id // an auditor's page has no name
	if by.Role == ledger.RoleVolunteer {
		who, err := s.book.Volunteer(ctx, by, r.Id)
		if err != nil {
			return nil, err
		}
		name = who.Name
	}
	lang := policy.Chinese
	if deref(r.Params.Lang) == "en" {
		lang = policy.English
	}
	var page strings.Builder
	if err := web.Record.Execute(&page, s.recordPage(v, name, lang)); err != nil {
		return nil, fmt.Errorf("writing the page of a record: %w", err)
	}
	return plain{200, "text/html; charset=utf-8", page.String()}, nil
}

func (s *Server) recordPage(v book.ServiceRecord, name string, lang policy.Lang) recordPage {
	w, f := recordWordsOf[lang], v.Facts
	p := recordPage{Lang: string(lang), Name: name, W: w, Total: minutesIn(lang, f.Minutes), LevelWords: v.Rules.LevelWords(f.Counted, lang)}
	var roles []string
	for _, role := range v.Roles {
		roles = append(roles, roleWords[lang][role])
	}
	p.RolesLine = strings.Join(roles, ", ")
	p.Steadiness = fmt.Sprintf("Active in %d months, at most %d one after the other. %d of %d people helped who were asked gave %d points in all, of 5 each. %d claims were taken back and are in no sum.",
		f.MonthsActive, f.LongestRun, f.Rated, f.Claims, f.Satisfaction, f.Corrected)
	p.Footer = fmt.Sprintf("Read from the log of %s at %d entries. Each honour names its entry, which anybody can check against the log.", s.book.Origin(), v.LogSize)
	if lang == policy.Chinese {
		p.Steadiness = fmt.Sprintf("服务月份 %d 个，最长连续 %d 个月。%d 次服务中有 %d 次经受助人评价，共得 %d 分（每次最高 5 分）。另有 %d 条记录已更正，不计入任何合计。",
			f.MonthsActive, f.LongestRun, f.Claims, f.Rated, f.Satisfaction, f.Corrected)
		p.Footer = fmt.Sprintf("数据取自 %s 的公开日志，截至第 %d 条。每项表彰均注明条目编号，任何人可据此核验。", s.book.Origin(), v.LogSize)
	}
	services := map[string]string{"": w.Unnamed}
	for _, x := range v.Rules.Services(lang) {
		services[x.Code] = x.Text
	}
	same := func(name string) string { return name }
	p.Tables = []recordTable{
		{w.Years, recordRows(v.ByYear, lang, same)},
		{w.Services, recordRows(v.ByService, lang, func(code string) string { return cmp.Or(services[code], code) })},
		{w.Positions, recordRows(v.ByPosition, lang, func(x string) string { return positionWords[lang][x] })},
		{w.Organizations, recordRows(v.ByOrganization, lang, same)},
		{w.Grades, recordRows(v.ByGrade, lang, same)},
	}
	p.told(v, lang)
	return p
}

// told adds what was given and said: honours, clarifications, and what the rules tell people.
func (p *recordPage) told(v book.ServiceRecord, lang policy.Lang) {
	honours, cleared := recordTable{Title: p.W.Honours}, recordTable{Title: p.W.Clarifications}
	for _, h := range v.Honours {
		words := h.Words[lang]
		if h.Giver != "" {
			words += " · " + h.Giver
		}
		honours.Rows = append(honours.Rows, recordRow{words, fmt.Sprintf("%s · #%d", h.On, h.Seq)})
	}
	for _, c := range v.Clarifications {
		cleared.Rows = append(cleared.Rows, recordRow{c.Finding + " · " + c.By, fmt.Sprintf("%s · #%d", c.On, c.Seq)})
	}
	p.Tables = append(p.Tables, honours, cleared)
	for _, n := range v.Rules.Notices(lang) {
		p.Notices = append(p.Notices, n.Text)
	}
}

func recordRows(list []book.Served, lang policy.Lang, named func(string) string) (rows []recordRow) {
	for _, x := range list {
		rows = append(rows, recordRow{named(x.Name), minutesIn(lang, x.Minutes)})
	}
	return rows
}

func minutesIn(lang policy.Lang, m ledger.Minutes) string {
	if lang == policy.Chinese {
		return m.Chinese()
	}
	return m.String()
}
