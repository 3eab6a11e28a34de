package city

import (
	"fmt"
	"strings"
)

// Profile gives the profile by which the sheet is read.
func (c City) Profile() []byte {
	var sites strings.Builder
	for _, o := range c.Organizations {
		fmt.Fprintf(&sites, "  %s: %s\n", o.Name, o.Ref)
	}
	return []byte(`# Reads the district office's export.
columns:
  volunteer: 志愿者编号
  site: 组织
  activity: 活动
  service: 服务代码
  date: 日期
  start: 开始
  end: 结束
  amount: 时长(小时)
  check_in: 签到
  check_out: 签退
  beneficiary_confirmed: 受助人确认
  sheet: 纸质表编号
  recorder: 记录人
  approver: 审核人
  reference: 流水号
dates: [YYYY-MM-DD, YYYY/M/D]
amount: {unit: decimal_hours, round: half_up}
missing: [NA, "-"]
"true": [是]
evidence: {kind: columns, second_approver: 区民政局志愿服务科, authority: 市民政局} # months of the past, checked as a whole
ignore:
  - {column: 缺勤, equals: [是], reason: absent}
sites:
` + sites.String())
}
